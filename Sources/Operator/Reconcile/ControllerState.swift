import ControllerRuntime
import Decisions
import FleetProtocol
import InferenceAPI
import KubernetesAPI
import Synchronization
import Telemetry

/// What all rounds and all streams share. Every access is short and synchronous; nothing waits while it is held.
final class ControllerState: Sendable {
  struct Contents: Sendable {
    var board = LoadBoard()
    var memories: [ObjectKey: ServiceMemory] = [:]
    /// The present generation of the services that were looked at of late; reading one anew costs less than keeping all.
    var known = RecentCache<ObjectKey, KnownService>(capacity: 1024)
    var claims = NameClaims()
    var ledger = Ledger()
    var settings = InstallationSettings()
    /// Counts the changes of ``settings``.
    var settingsVersion = 0
    /// What `sleepAfter: Auto` has learned from all services.
    var idleWindows = IdleWindowLearner()
    var statusWrites = StatusWritePolicy()
    /// Services that each tick looks at.
    var active: Set<ObjectKey> = []
    /// The latest decisions with their inputs: of a model the last 64, of all 16,384. A record takes about 1 KB: 16 MiB.
    var decisions = DecisionLog<ObjectKey>(perModel: 64, total: 16_384)
    var isLeading = false
    /// When this controller began to lead last, monotonic.
    var leadingSince: Duration = .zero

    /// Takes a gateway's snapshot; returns who needs a decision now.
    mutating func record(_ snapshot: LoadSnapshot, from address: String, now: Now) -> Set<ObjectKey> {
      let urgent = board.record(snapshot, from: address, now: now) { memories[$0]?.stableWindow ?? .seconds(60) }
      active.formUnion(urgent)
      for load in snapshot.services {
        guard let account = load.account else { continue }
        ledger.hear(
          account, of: load.name, in: load.namespace, from: snapshot.gateway, bootID: snapshot.bootID,
          now: now.wall.milliseconds)
      }
      return urgent
    }
  }

  private let contents = Mutex(Contents())
  private let timeZones: any TimeZoneSource

  init(timeZones: any TimeZoneSource) { self.timeZones = timeZones }

  /// Reads a service once per generation and settings. - Throws: `InvalidInferenceService`.
  func known(_ service: KubernetesObject) throws(InvalidInferenceService) -> KnownService {
    let key = service.key
    let (last, settings, version) = withLock { ($0.known.value(key), $0.settings, $0.settingsVersion) }
    if let last, last.isOf(service), last.settingsVersion == version { return last }
    let known = try KnownService(service, settings, version: version, timeZones: timeZones)
    withLock { $0.known.set(key, known) }
    return known
  }

  /// Takes other settings over. - Returns: whether they differ from those before.
  func set(_ settings: InstallationSettings) -> Bool {
    withLock { contents in
      guard contents.settings != settings else { return false }
      contents.settings = settings
      contents.settingsVersion += 1
      return true
    }
  }

  func withLock<Result: Sendable>(_ body: (inout Contents) throws -> Result) rethrows -> Result {
    try contents.withLock { try body(&$0) }
  }
}
