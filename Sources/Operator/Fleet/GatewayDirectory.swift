import FleetProtocol
import KubernetesAPI

/// Which gateways there are, from the EndpointSlices of their Service.
enum GatewayDirectory {
  static let serviceName = "pilotlight-gateway"
  static let adminPort = "admin"
  /// Where a gateway speaks TLS with the controller. One that has it is never read over plain HTTP: the slices come from the API
  /// server, and nobody on the network between can take the port out of them (docs/decisions/0015).
  static let fleetPort = "fleet"

  /// Addresses to talk to (`10.0.0.7:9443`), each with whether it takes traffic. Terminating ones are there too: they still
  /// have requests.
  static func gateways(in slices: [KubernetesObject]) -> [String: Bool] {
    var gateways: [String: Bool] = [:]
    for (slice, endpoint) in endpoints(in: slices) {
      guard let address = address(of: endpoint, slice) else { continue }
      gateways[address] = (gateways[address] ?? false) || endpoint.isReady || endpoint.isServing
    }
    return gateways
  }

  /// Addresses of the gateways that share slots, by name: those that take traffic, as they themselves read it from the same
  /// slices. Empty when one of them cannot be told anything.
  static func sharing(in slices: [KubernetesObject]) -> [String: String] {
    var addresses: [String: String] = [:]
    for (slice, endpoint) in endpoints(in: slices) where endpoint.takesTraffic {
      guard let name = endpoint.name else { continue }
      guard let address = address(of: endpoint, slice) else { return [:] }
      addresses[name] = address
    }
    return addresses
  }

  /// How to talk to the gateway at an address.
  /// - Parameters:
  ///   - lease: the ``GatewayKeyLease`` of a name.
  ///   - requiresTLS: no gateway is read over plain HTTP.
  static func target(
    _ address: String, in slices: [KubernetesObject], requiresTLS: Bool, lease: (String) -> KubernetesObject?
  ) -> GatewayTarget {
    for (slice, endpoint) in endpoints(in: slices) where self.address(of: endpoint, slice) == address {
      return GatewayTarget(
        address: address, trust: trust(in: endpoint, slice, requiresTLS: requiresTLS, lease: lease))
    }
    return GatewayTarget(address: address, trust: .none(.unknown))
  }

  private static func trust(
    in endpoint: EndpointSlice.Endpoint, _ slice: EndpointSlice, requiresTLS: Bool,
    lease: (String) -> KubernetesObject?
  ) -> GatewayTarget.Trust {
    guard slice.ports[fleetPort] != nil else { return requiresTLS ? .none(.plainHTTP) : .plain }
    let name = endpoint.name ?? ""
    guard let pin = lease(name)?.metadata.annotations[GatewayKeyLease.keyAnnotation] else {
      return .none(.unpublishedKey(lease: name))
    }
    return GatewayKey(pin: pin).map { .key($0) } ?? .none(.malformedKey(lease: name))
  }

  private static func endpoints(
    in slices: [KubernetesObject]
  ) -> [(slice: EndpointSlice, endpoint: EndpointSlice.Endpoint)] {
    slices.map(EndpointSlice.init).filter { $0.serviceName == serviceName }.flatMap { slice in
      slice.endpoints.map { (slice, $0) }
    }
  }

  private static func address(of endpoint: EndpointSlice.Endpoint, _ slice: EndpointSlice) -> String? {
    guard let host = endpoint.addresses.first, let port = slice.ports[fleetPort] ?? slice.ports[adminPort] else {
      return nil
    }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
