import EventLoop
import Gateway
import KubernetesAPI

/// Reads a service's replicas out of the EndpointSlices of its pools.
struct ReplicaReader {
  private let draining: Set<String>
  private let limits: [Pool: Int]

  init(service: KubernetesObject, order: [Pool]) {
    draining = Set((service.status["drain"]?["pods"]?.arrayValue ?? []).compactMap(\.stringValue))
    let scaling = service.spec["scaling"]
    // 2 x target, else 64, as the schema says it.
    let limit =
      scaling?["maxConcurrency"]?.intValue ?? scaling?["target"]?.intValue.map { 2 * $0 } ?? 64
    limits = [.burst: limit, .dedicated: service.spec["dedicated"]?["maxConcurrency"]?.intValue ?? limit]
  }

  /// Sorted by pod UID. A pod that two slices tell of, as it happens while they are rearranged, is ready if one says so.
  func replicas(in slices: [EndpointSlice]) -> [Replica] {
    var byUID: [String: Replica] = [:]
    for slice in slices {
      guard let pool = slice.object.metadata.labels[RoutingViewBuilder.poolLabel].flatMap(Pool.init(rawValue:)),
        let port = port(of: slice)
      else { continue }
      let changed = slice.lastChangeTriggerTime.flatMap(Timestamp.parse)
      for endpoint in slice.endpoints {
        guard let uid = endpoint.podUID, let host = endpoint.addresses.first,
          let address = try? SocketAddress(parsing: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
        else { continue }
        let replica = Replica(
          podUID: uid, address: address, pool: pool, isReady: endpoint.isReady,
          isLeaving: endpoint.isTerminating || draining.contains(uid), maxConcurrency: limits[pool] ?? 64,
          readySince: changed)
        if let known = byUID[uid], known.isReady || !replica.isReady { continue }
        byUID[uid] = replica
      }
    }
    return byUID.values.sorted { $0.podUID < $1.podUID }
  }

  private func port(of slice: EndpointSlice) -> Int? {
    slice.ports["http"] ?? slice.ports.min { $0.key < $1.key }?.value
  }
}
