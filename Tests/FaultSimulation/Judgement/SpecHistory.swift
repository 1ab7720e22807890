import KubernetesAPI

/// What the owner of a service asked for, as far as rules depend on it.
struct OwnersWish: CustomStringConvertible {
  var dedicated = 0
  var maxBurst = 1
  var isSuspended = false
  var drainTimeout: Duration = .seconds(20)

  var wantsNoBurst: Bool { isSuspended || maxBurst == 0 }

  func allows(_ scale: ScaleWrite) -> Bool {
    if isSuspended { return scale.replicas == 0 }
    return scale.isBurst ? (0...maxBurst).contains(scale.replicas) : scale.replicas == dedicated
  }

  var description: String { isSuspended ? "(suspended)" : "(dedicated \(dedicated), burst 0...\(maxBurst))" }
}

/// Every wish with the resource version from which it was in force; nil: there was no service.
final class SpecHistory {
  private var wishes: [ObjectKey: [(from: Int, wish: OwnersWish?)]] = [:]

  func set(_ wish: OwnersWish?, of service: ObjectKey, from version: Int) {
    wishes[service, default: [(0, nil)]].append((version, wish))
  }

  func latest(_ service: ObjectKey) -> OwnersWish? { wishes[service]?.last?.wish }

  /// Those in force at a resource version or after it.
  func since(_ version: Int, of service: ObjectKey) -> [OwnersWish?] {
    let all = wishes[service] ?? []
    return all.indices.filter { $0 == all.indices.last || all[$0 + 1].from > version }.map { all[$0].wish }
  }
}
