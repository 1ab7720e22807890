import Decisions
import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry

/// Keeps what `sleepAfter: Auto` has learned from all services in one ConfigMap, by resource version; what it knows of each
/// service is with the ledger.
final class IdleWindowStore: Sendable {
  static let name = "pilotlight-idle-windows"
  /// Value of the ledger's label.
  static let labelValue = "idle-windows"
  static let dataKey = "learned"
  /// How often it is looked whether something is to be stored.
  static let tick: Duration = .seconds(5)
  /// After a request that failed, the next one is so much later.
  static let pause: Duration = .seconds(30)

  private struct Contents {
    var isLoaded = false
    /// Of the stored object; nil: there is none.
    var version: String?
    /// Silences that were learned from, of what is stored.
    var stored = 0
    var written: Duration?
  }

  private let reading: KubernetesClient
  private let writing: KubernetesClient
  private let home: String
  private let state: ControllerState
  private let clock: any ClockSource
  private let log: Log
  private let contents = Mutex(Contents())

  init(
    reading: KubernetesClient, writing: KubernetesClient, home: String, state: ControllerState, clock: any ClockSource,
    log: Log
  ) {
    self.reading = reading
    self.writing = writing
    self.home = home
    self.state = state
    self.clock = clock
    self.log = log
  }

  /// Keeps it stored until it is cancelled.
  func run() async throws {
    contents.withLock { $0 = Contents() }
    while true {
      var wait = Self.tick
      do {
        try await step()
      } catch let error as CancellationError {
        throw error
      } catch {
        log.warning("what sleepAfter: Auto has learned could not be read or stored", ["error": "\(error)"])
        wait = Self.pause
      }
      try await clock.sleep(for: wait)
    }
  }

  private func step() async throws {
    if !contents.withLock({ $0.isLoaded }) { try await load() }
    let now = clock.now().monotonic
    let (learned, interval) = state.withLock { ($0.idleWindows.learned, $0.settings.ledgerWriteInterval) }
    let isDue = contents.withLock { contents in
      contents.stored != learned && now >= (contents.written ?? now - interval) + interval
    }
    if isDue { try await write() }
  }

  /// Stores what is not stored, before the Lease is given up; without it, what was learned since the last write is lost.
  func handOver() async {
    guard contents.withLock({ $0.isLoaded }),
      state.withLock({ $0.idleWindows.learned }) != contents.withLock({ $0.stored })
    else { return }
    try? await write()
  }

  private func load() async throws {
    let selection = ObjectSelection(
      .configMaps, namespace: home, labelSelector: "\(LedgerConfigMap.label)=\(Self.labelValue)")
    let found = try await reading.list(selection).items.first { $0.metadata.name == Self.name }
    let stored = found.flatMap(learner)
    state.withLock { contents in
      // What was learned before it was read is a few seconds' worth; a poorer one than ours is not of the last leader.
      if let stored, stored.learned >= contents.idleWindows.learned { contents.idleWindows = stored }
    }
    contents.withLock { contents in
      contents.isLoaded = true
      contents.version = found?.metadata.resourceVersion
      contents.stored = stored?.learned ?? 0
    }
  }

  private func learner(_ object: KubernetesObject) -> IdleWindowLearner? {
    let text = object.json[path: ["data", Self.dataKey]]?.stringValue ?? ""
    do {
      return try IdleWindowLearner(packed: Data(base64Encoded: text).map(Array.init) ?? [])
    } catch {
      log.warning(
        "what sleepAfter: Auto had learned cannot be read; it begins anew and is stored over it",
        ["configMap": Self.name, "problem": "\(error)"])
      return nil
    }
  }

  private func write() async throws {
    let learner = state.withLock { $0.idleWindows }
    var object = KubernetesObject(.configMaps, ObjectKey(namespace: home, name: Self.name))
    object.json[path: ["metadata", "labels"]] = [LedgerConfigMap.label: .string(Self.labelValue)]
    object.json["data"] = [Self.dataKey: .string(Data(learner.packed).base64EncodedString())]
    do {
      let written: KubernetesObject
      if let version = contents.withLock({ $0.version }) {
        object.json[path: ["metadata", "resourceVersion"]] = .string(version)
        written = try await writing.replace(.configMaps, object, fieldManager: DesiredObjects.fieldManager)
      } else {
        written = try await writing.create(.configMaps, object, fieldManager: DesiredObjects.fieldManager)
      }
      let now = clock.now().monotonic
      contents.withLock { contents in
        (contents.version, contents.stored) = (written.metadata.resourceVersion, learner.learned)
        contents.written = now
      }
    } catch let status as KubernetesStatus where status.isConflict || status.code == 409 || status.isNotFound {
      // Somebody else wrote or deleted it: it is read again, and written with the version it has then.
      contents.withLock { $0.isLoaded = false }
      throw status
    }
  }
}
