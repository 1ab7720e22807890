import KubernetesAPI

/// Which gateways there are, from the EndpointSlices of their Service.
enum GatewayDirectory {
  static let serviceName = "pilotlight-gateway"
  static let adminPort = "admin"

  /// Addresses of admin ports (`10.0.0.7:9090`), each with whether it takes traffic. Terminating ones are there too: they
  /// still have requests.
  static func gateways(in slices: [KubernetesObject]) -> [String: Bool] {
    var gateways: [String: Bool] = [:]
    for slice in slices.map(EndpointSlice.init) where slice.serviceName == serviceName {
      for endpoint in slice.endpoints {
        guard let address = address(of: endpoint, slice) else { continue }
        gateways[address] = (gateways[address] ?? false) || endpoint.isReady || endpoint.isServing
      }
    }
    return gateways
  }

  /// Addresses of the admin ports of the gateways that share slots, by name: those that take traffic, as they themselves
  /// read it from the same slices. Empty when one of them cannot be told anything.
  static func sharing(in slices: [KubernetesObject]) -> [String: String] {
    var addresses: [String: String] = [:]
    for slice in slices.map(EndpointSlice.init) where slice.serviceName == serviceName {
      for endpoint in slice.endpoints where endpoint.takesTraffic {
        guard let name = endpoint.name else { continue }
        guard let address = address(of: endpoint, slice) else { return [:] }
        addresses[name] = address
      }
    }
    return addresses
  }

  private static func address(of endpoint: EndpointSlice.Endpoint, _ slice: EndpointSlice) -> String? {
    guard let host = endpoint.addresses.first, let port = slice.ports[adminPort] else { return nil }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
