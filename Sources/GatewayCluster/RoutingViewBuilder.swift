import Gateway
import InferenceAPI
import KubernetesAPI

/// Makes a gateway's view out of Kubernetes objects, as a value: the same objects give the same view.
///
/// What was read of a service is kept by its resource version, so that a change of one costs the reading of one.
public struct RoutingViewBuilder: Sendable {
  /// `<name>.<namespace>.<domain>` names a service.
  public var domain: String
  /// This gateway's own name among the endpoints of the gateways' Service: its pod's.
  public let identity: String
  /// Service that the gateways' own endpoints belong to.
  public static let gatewayServiceName = "pilotlight-gateway"
  private var known: [ObjectKey: (version: String, reading: ServiceReading)] = [:]

  /// How replicas that speak TLS are talked to.
  private let upstreamTLS: UpstreamTLS

  public init(domain: String, identity: String, upstreamTLS: UpstreamTLS = UpstreamTLS()) {
    self.domain = domain
    self.identity = identity
    self.upstreamTLS = upstreamTLS
  }

  /// - Parameters:
  ///   - services: InferenceServices.
  ///   - slices: EndpointSlices of the services' pools, by their labels.
  ///   - gatewaySlices: EndpointSlices of the gateways' own Service.
  public mutating func view(
    services: [KubernetesObject], slices: [KubernetesObject], gatewaySlices: [KubernetesObject]
  ) -> RoutingView {
    var slicesOf: [ObjectKey: [EndpointSlice]] = [:]
    for object in slices {
      guard let name = object.metadata.labels[Labels.service] else { continue }
      slicesOf[ObjectKey(namespace: object.metadata.namespace, name: name), default: []].append(EndpointSlice(object))
    }
    var read: [ObjectKey: (version: String, reading: ServiceReading)] = [:]
    var routes: [ServiceRoute] = []
    for object in services {
      let key = object.key
      let version = object.metadata.resourceVersion
      let reading: ServiceReading
      if let old = known[key], old.version == version, !version.isEmpty {
        reading = old.reading
      } else {
        reading = ServiceReading(object, upstreamTLS: upstreamTLS)
      }
      read[key] = (version, reading)
      routes.append(reading.route(with: slicesOf[key] ?? []))
    }
    known = read
    return RoutingView(services: routes, domain: domain, share: share(of: gatewaySlices))
  }

  /// This gateway's place among all that take traffic, by name. One that is not listed yet counts itself in.
  func share(of slices: [KubernetesObject]) -> GatewayShare {
    let endpoints = slices.lazy.flatMap { EndpointSlice($0).endpoints }
    return GatewayShare(identity: identity, among: endpoints.filter(\.takesTraffic).compactMap(\.name))
  }
}
