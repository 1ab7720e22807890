import FleetProtocol
import KubernetesAPI
import ObjectStore

/// The activation Leases that one gateway writes while it holds.
struct ActivationLeases {
  private unowned let world: World
  private let holder: String
  private var dice: Dice
  private let wanted = Wanted()

  private final class Wanted { var services: Set<ObjectKey> = [] }

  /// Between two renewals.
  private static let renewal: Duration = .seconds(10)

  init(_ world: World, holder: String, dice: Dice) {
    self.world = world
    self.holder = holder
    self.dice = dice
  }

  /// Writes a Lease, and renews it while somebody is held.
  mutating func want(_ key: ObjectKey, isCut: @escaping () -> Bool, isHeld: @escaping () -> Bool) {
    guard wanted.services.insert(key).inserted else { return }
    attempt(key, after: dice.duration(0.001...0.05), isCut: isCut, isHeld: isHeld)
  }

  private func attempt(
    _ key: ObjectKey, after delay: Duration, isCut: @escaping () -> Bool, isHeld: @escaping () -> Bool
  ) {
    world.time.after(delay) { [self] in
      guard isHeld() else {
        wanted.services.remove(key)
        return
      }
      let isWritten = !isCut() && write(key)
      attempt(key, after: isWritten ? Self.renewal : .seconds(1), isCut: isCut, isHeld: isHeld)
    }
  }

  /// Creates it, or renews the one that is there.
  private func write(_ key: ObjectKey) -> Bool {
    let time = JSONValue.string(Timestamp.microseconds(world.time.wall))
    let name = ActivationLease.name(namespace: key.namespace, name: key.name)
    var lease = KubernetesObject(.leases, ObjectKey(namespace: ActivationLease.defaultNamespace, name: name))
    lease.metadata.labels = [ActivationLease.label: ActivationLease.labelValue]
    lease.metadata.annotations = [
      ActivationLease.namespaceAnnotation: key.namespace, ActivationLease.nameAnnotation: key.name,
    ]
    lease.spec = [
      "holderIdentity": .string(holder), "leaseDurationSeconds": JSONValue(ActivationLease.durationSeconds),
      "acquireTime": time, "renewTime": time,
    ]
    switch world.api.apply(.leases, .create(lease), as: holder) {
    case .success: return true
    case .failure(let status) where status.reason == "AlreadyExists":
      let renewal = world.api.apply(.leases, .mergePatch(lease.key, ["spec": ["renewTime": time]]), as: holder)
      return (try? renewal.get()) != nil
    case .failure: return false
    }
  }
}
