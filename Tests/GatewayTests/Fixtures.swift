import EventLoop

@testable import Gateway

/// A replica at an address nobody listens on, for decisions that never connect.
func replica(
  _ uid: String, _ pool: Pool = .burst, ready: Bool = true, leaving: Bool = false, slots: Int = 2
) throws -> Replica {
  Replica(
    podUID: uid, address: try SocketAddress(parsing: "127.0.0.1:9"), pool: pool, isReady: ready, isLeaving: leaving,
    maxConcurrency: slots)
}

extension ReplicaSetState {
  /// Lets every replica pass its health check.
  mutating func passAll() {
    for replica in unproven { checked(replica.podUID, .passed) }
  }
}

extension ServiceState {
  /// Lets every replica pass its health check.
  mutating func passAll() {
    for check in unproven { checked(check.id.podUID, .passed) }
  }
}

extension ServiceRoute {
  static func sample(
    _ name: String = "owl", replicas: [Replica] = [], maxHeld: Int = 10, refusal: Refusal? = nil
  ) -> ServiceRoute {
    ServiceRoute(
      key: ServiceKey(namespace: "default", name: name), maxHeld: maxHeld, maxWait: .seconds(60), replicas: replicas,
      refusal: refusal)
  }
}
