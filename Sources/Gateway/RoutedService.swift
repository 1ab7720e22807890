import EventLoop

/// One service of a view with its gate, and what the data path asks of it, reckoned once. Immutable, shared by reference.
final class RoutedService: Sendable {
  let route: ServiceRoute
  let gate: ServiceGate
  /// In nanoseconds.
  let maxWait: Int64
  /// In nanoseconds.
  let responseTimeout: Int64
  /// Whether a JSON body is read although the head has told the service: to replace its `model`, for a rule or for affinity.
  let readsBody: Bool

  init(route: ServiceRoute, gate: ServiceGate) {
    self.route = route
    self.gate = gate
    maxWait = route.maxWait.inNanoseconds
    readsBody = route.renames || route.prefixAffinity != nil || route.rules.contains { $0.match.readsBody }
    responseTimeout = route.responseTimeout.inNanoseconds
  }
}

/// What a request is routed by: a view and, by the same index, its services.
final class RoutingSnapshot: Sendable {
  let view: RoutingView
  let resolver: RouteResolver
  let services: [RoutedService]

  init(view: RoutingView, gates: [ServiceGate]) {
    self.view = view
    self.resolver = RouteResolver(view: view)
    services = zip(view.services, gates).map { RoutedService(route: $0, gate: $1) }
  }
}
