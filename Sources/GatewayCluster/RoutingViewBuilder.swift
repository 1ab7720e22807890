import Gateway
import KubernetesAPI

/// Makes a gateway's view out of Kubernetes objects: a pure function, called whenever one of them changed.
public struct RoutingViewBuilder: Sendable {
  /// `<name>.<namespace>.<domain>` names a service.
  public var domain: String
  /// This gateway's own name among the endpoints of the gateways' Service: its pod's.
  public var identity: String
  /// Service that the gateways' own endpoints belong to.
  public static let gatewayServiceName = "pilotlight-gateway"
  static let serviceLabel = "serving.pilotlight.dev/service"
  static let poolLabel = "serving.pilotlight.dev/pool"

  public init(domain: String, identity: String) {
    self.domain = domain
    self.identity = identity
  }

  /// - Parameters:
  ///   - services: InferenceServices.
  ///   - slices: EndpointSlices of the services' pools, by their labels.
  ///   - gatewaySlices: EndpointSlices of the gateways' own Service.
  public func view(
    services: [KubernetesObject], slices: [KubernetesObject], gatewaySlices: [KubernetesObject]
  ) -> RoutingView {
    var byService: [ServiceKey: [EndpointSlice]] = [:]
    for object in slices {
      guard let name = object.metadata.labels[Self.serviceLabel] else { continue }
      let key = ServiceKey(namespace: object.metadata.namespace, name: name)
      byService[key, default: []].append(EndpointSlice(object))
    }
    let routes = services.map { service in
      var route = InferenceServiceReader(service).route
      let reader = ReplicaReader(service: service, order: route.order)
      route.replicas = reader.replicas(in: byService[route.key] ?? [])
      return route
    }
    return RoutingView(services: routes, domain: domain, share: share(of: gatewaySlices))
  }

  /// This gateway's place among all that take traffic, by name. One that is not listed yet counts itself in.
  func share(of slices: [KubernetesObject]) -> GatewayShare {
    var names: Set<String> = [identity]
    for slice in slices.map(EndpointSlice.init) {
      for endpoint in slice.endpoints where endpoint.isServing && !endpoint.isTerminating {
        if let name = endpoint.podName ?? endpoint.addresses.first { names.insert(name) }
      }
    }
    let sorted = names.sorted()
    return GatewayShare(index: sorted.firstIndex(of: identity) ?? 0, count: sorted.count)
  }
}
