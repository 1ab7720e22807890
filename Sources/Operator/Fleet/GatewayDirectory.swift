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
      guard let port = slice.ports[adminPort] else { continue }
      for endpoint in slice.endpoints {
        guard let host = endpoint.addresses.first else { continue }
        let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        gateways[address] = (gateways[address] ?? false) || endpoint.isReady || endpoint.isServing
      }
    }
    return gateways
  }
}
