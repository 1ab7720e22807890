import Decisions
import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry

/// Loads and stores the ledger's books. Every write is conditional: a book is created, or replaces the version that was read.
final class LedgerStore: Sendable {
  /// Days in which the newest books are looked for first.
  static let recentDays = 7
  /// Days past retention whose books are looked for, to be deleted.
  static let deletedDays = 60
  /// After a write that failed, the namespace is tried again so much later.
  static let pause: Duration = .seconds(30)
  private struct Contents {
    /// Versions of the newest stored book's objects, by namespace and name.
    var stored: [String: [String: String]] = [:]
    /// The last write, or the first change since this controller leads, by namespace.
    var since: [String: Duration] = [:]
    var retainedOn: Int?
  }

  private let reading: KubernetesClient
  private let writing: KubernetesClient
  private let home: String
  private let state: ControllerState
  private let clock: any ClockSource
  private let log: Log
  private let metrics: LedgerMetrics
  private let contents = Mutex(Contents())
  /// The services that there are.
  private let services: @Sendable () -> [ObjectKey]

  init(
    reading: KubernetesClient, writing: KubernetesClient, home: String, state: ControllerState, clock: any ClockSource,
    log: Log, metrics: LedgerMetrics, services: @escaping @Sendable () -> [ObjectKey]
  ) {
    self.services = services
    self.reading = reading
    self.writing = writing
    self.home = home
    self.state = state
    self.clock = clock
    self.log = log
    self.metrics = metrics
  }

  /// Keeps the ledger stored until it is cancelled.
  func run() async throws {
    contents.withLock { $0 = Contents() }
    while true {
      do {
        if !state.withLock({ $0.ledger.isLoaded }) { try await load() }
        for namespace in state.withLock({ $0.ledger.unloaded.sorted() }) { try await reload(namespace) }
        try await writeDue()
        try await retain()
      } catch let error as CancellationError {
        throw error
      } catch {
        metrics.failures.increment()
        log.warning("the ledger could not be read or written", ["error": "\(error)"])
      }
      try await clock.sleep(for: .seconds(1))
    }
  }

  /// Stores everything before the Lease is given up; what is not stored is counted again by the next leader from what gateways
  /// and pods say.
  func handOver() async {
    for namespace in state.withLock({ $0.ledger.unwritten }) { try? await write(namespace) }
  }

  // MARK: - Loading

  private func load() async throws {
    let today = LedgerBook.day(of: clock.now().wall.milliseconds)
    let recent = try await list(LedgerConfigMap.selector(days: today - Self.recentDays...today + 1))
    let newest = newestBooks(recent)
    let known = Set(newest.map(\.namespace))
    let present = Set(services())
    let missing = Set(present.map(\.namespace)).subtracting(known)
    let now = clock.now().wall.milliseconds
    state.withLock { contents in
      contents.ledger.load(newest, missing: missing, now: now)
      for book in newest {
        for model in book.models.keys.sorted()
        where !present.contains(ObjectKey(namespace: book.namespace, name: model)) {
          contents.ledger.retire(model, in: book.namespace)
        }
      }
    }
    log.info("ledger loaded", ["namespaces": newest.count])
  }

  private func reload(_ namespace: String) async throws {
    let today = LedgerBook.day(of: clock.now().wall.milliseconds)
    var found = try await list(
      LedgerConfigMap.selector(days: today - Self.recentDays...today + 1, namespace: namespace))
    if found.isEmpty { found = try await list(LedgerConfigMap.selector(namespace: namespace)) }
    let book = newestBooks(found).first
    let now = clock.now().wall.milliseconds
    state.withLock { $0.ledger.reload(namespace, book, now: now) }
  }

  private func list(_ selector: String) async throws -> [KubernetesObject] {
    // Few at a time: a book may have half a megabyte.
    try await reading.list(ObjectSelection(.configMaps, namespace: home, labelSelector: selector), limit: 20).items
  }

  /// The newest readable book of each namespace, by namespace; which versions of its objects are stored is noted.
  private func newestBooks(_ objects: [KubernetesObject]) -> [LedgerBook] {
    // By namespace, then day.
    var found: [String: [Int: [(book: LedgerBook, object: KubernetesObject)]]] = [:]
    for object in objects {
      do {
        let book = try LedgerConfigMap.book(object)
        found[book.namespace, default: [:]][book.day, default: []].append((book, object))
      } catch {
        metrics.failures.increment()
        log.error("a book of the ledger cannot be read and is left alone", ["problem": "\(error)"])
      }
    }
    return found.sorted { $0.key < $1.key }.compactMap { namespace, days in
      let latest = days.sorted { $0.key > $1.key }.prefix(2).map(\.value)
      guard let newest = latest.first else { return nil }
      let versions = newest.map { ($0.object.metadata.name, $0.object.metadata.resourceVersion) }
      contents.withLock { $0.stored[namespace] = Dictionary(versions, uniquingKeysWith: { $1 }) }
      let previous = latest.dropFirst().first.flatMap { LedgerBook.joined($0.map(\.book)) }
      return LedgerBook.joined(newest.map(\.book), previous: previous)
    }
  }

  // MARK: - Writing

  private func writeDue() async throws {
    let now = clock.now().monotonic
    let (unwritten, interval) = state.withLock { ($0.ledger.unwritten, $0.settings.ledgerWriteInterval) }
    let due = contents.withLock { contents in
      for namespace in unwritten where contents.since[namespace] == nil { contents.since[namespace] = now }
      return unwritten.filter { now >= (contents.since[$0] ?? now) + interval }
    }
    for namespace in due { try await write(namespace) }
  }

  private func write(_ namespace: String) async throws {
    let interval = state.withLock { $0.settings.ledgerWriteInterval }
    state.withLock { $0.noteIdleMemories(in: namespace) }
    while let next = state.withLock({ $0.ledger.image(of: namespace) }) {
      guard let image = LedgerConfigMap.image(next.book, home: home) else {
        log.error(
          "a book of the ledger is larger than all its ConfigMaps may be, and is not stored",
          ["namespace": namespace, "models": next.book.models.count, "parts": LedgerBook.mostParts])
        metrics.failures.increment()
        contents.withLock { $0.since[namespace] = clock.now().monotonic }
        return
      }
      do {
        for object in image.objects { try await put(object, namespace) }
      } catch let status as KubernetesStatus where status.isConflict || status.code == 409 {
        // Somebody else wrote: what is stored counts, and what is here follows from it anew.
        log.info("a book of the ledger was written by somebody else; it is read again", ["namespace": namespace])
        contents.withLock { contents in
          contents.stored[namespace] = nil
          // One that cannot be read would be met again at once.
          contents.since[namespace] = clock.now().monotonic + Self.pause - interval
        }
        state.withLock { $0.ledger.forget(namespace) }
        return
      } catch {
        contents.withLock { $0.since[namespace] = clock.now().monotonic + Self.pause - interval }
        throw error
      }
      metrics.writes.increment()
      state.withLock { contents in
        contents.ledger.wrote(next.mark, of: namespace, isClosed: next.isClosed)
        if !next.isClosed { contents.ledger.fold(namespace, image.foldings, parts: image.parts) }
      }
      if !next.isClosed {
        let names = Set(image.objects.map(\.metadata.name))
        contents.withLock { $0.stored[namespace] = $0.stored[namespace]?.filter { names.contains($0.key) } }
        break
      }
    }
    contents.withLock { $0.since[namespace] = clock.now().monotonic }
  }

  private func put(_ object: KubernetesObject, _ namespace: String) async throws {
    var object = object
    let name = object.metadata.name
    let written: KubernetesObject
    if let version = contents.withLock({ $0.stored[namespace]?[name] }) {
      object.json[path: ["metadata", "resourceVersion"]] = .string(version)
      do {
        written = try await writing.replace(.configMaps, object, fieldManager: DesiredObjects.fieldManager)
      } catch let status as KubernetesStatus where status.isNotFound {
        // Somebody deleted it: it is made anew, with what is counted since its day began.
        contents.withLock { $0.stored[namespace]?[name] = nil }
        throw status
      }
    } else {
      written = try await writing.create(.configMaps, object, fieldManager: DesiredObjects.fieldManager)
    }
    contents.withLock { $0.stored[namespace, default: [:]][name] = written.metadata.resourceVersion }
  }

  // MARK: - Retention

  /// Deletes books that are older than the installation keeps them, once a day.
  private func retain() async throws {
    let today = LedgerBook.day(of: clock.now().wall.milliseconds)
    guard contents.withLock({ $0.retainedOn != today }) else { return }
    let last = today - state.withLock { $0.settings.ledgerRetentionDays } - 1
    let old = try await list(LedgerConfigMap.selector(days: last - Self.deletedDays + 1...last))
    for object in old {
      do {
        _ = try await writing.delete(
          .configMaps, object.key, preconditions: DeletionPreconditions(uid: object.metadata.uid))
      } catch let status as KubernetesStatus where status.isNotFound || status.isConflict {
        // Gone already.
      }
    }
    if !old.isEmpty { log.info("old books of the ledger deleted", ["count": old.count]) }
    contents.withLock { $0.retainedOn = today }
  }
}

extension Date {
  /// Since 1970, rounded down.
  var milliseconds: Int { Int((timeIntervalSince1970 * 1000).rounded(.down)) }
}
