import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry

/// Keeps a local copy of a selection of objects, and tells what changes in it.
///
///     let pods = Informer(client: client, selection: ObjectSelection(.pods), clock: clock)
///     pods.onChange { change in queue.add(change.key) }
///     try await pods.run()
public final class Informer: Service {
  /// The copy; empty until the first list is complete.
  public let store: ObjectIndex
  public let selection: ObjectSelection
  private let client: KubernetesClient
  private let clock: any ClockSource
  private let log: Log
  private let configuration: InformerMachine.Configuration
  private let seed: UInt64
  private let handlers = Mutex<[@Sendable (ObjectChange) -> Void]>([])
  private let synced = Signal(staysRaised: true)
  private let absenceAdvice: String
  private let state = Mutex<(isAbsent: Bool, lastFailure: String?)>((false, nil))

  /// - Parameters:
  ///   - absenceAdvice: what to say when the server does not know the type: why, and what to do. Nil: just that.
  ///   - indexedLabels: see ``ObjectIndex/init(indexedLabels:)``.
  ///   - configuration: among it how objects are kept.
  ///   - seed: of the jitter.
  public init(
    client: KubernetesClient, selection: ObjectSelection, clock: any ClockSource, log: Log = .discarding,
    absenceAdvice: String? = nil, indexedLabels: [String] = [], configuration: InformerMachine.Configuration = .init(),
    seed: UInt64 = .random(in: 0...UInt64.max)
  ) {
    self.client = client
    self.selection = selection
    self.clock = clock
    self.log = log.with("resource", selection.type.qualifiedResource)
    self.configuration = configuration
    self.seed = seed
    let resource = selection.type.qualifiedResource
    self.absenceAdvice = absenceAdvice ?? "the API server does not serve \(selection.type.apiVersion) \(resource)"
    store = ObjectIndex(indexedLabels: indexedLabels)
  }

  /// Calls `handler` for each change, in order, after ``store`` has it, on the task of ``run()``; so it must be quick. Register
  /// before ``run()``: what happened before is not told again.
  public func onChange(_ handler: @escaping @Sendable (ObjectChange) -> Void) {
    handlers.withLock { $0.append(handler) }
  }

  /// Whether the first list is complete.
  public var hasSynced: Bool { synced.isRaised }

  /// The server does not know the type now. What was known of it before stays in ``store``.
  public var isAbsent: Bool { state.withLock { $0.isAbsent } }

  /// Why nothing can be built on ``store`` now, for people: its type is absent, or it was never read. Nil when it can.
  public var problem: String? {
    let (isAbsent, lastFailure) = state.withLock { $0 }
    if isAbsent { return "\(absenceAdvice); waiting" }
    guard !hasSynced else { return nil }
    return "\(selection.type.qualifiedResource) have not been read yet\(lastFailure.map { ": \($0)" } ?? "")"
  }

  /// Returns once the first list is complete. - Throws: `CancellationError`.
  public func waitForSync() async throws { try await synced.wait() }

  /// Lists and watches until it is cancelled; survives everything else.
  public func run() async throws {
    var machine = InformerMachine(configuration: configuration, seed: seed)
    var watch: WatchEvents.Iterator?
    var event = InformerMachine.Event.started
    while true {
      try Task.checkCancellation()
      var next: InformerMachine.Event?
      let effects = machine.handle(event, now: clock.now().monotonic)
      tell(isAbsent: machine.isAbsent)
      for effect in effects {
        switch effect {
        case .update(let update): publish(update)
        case .synced: synced.raise()
        case .list(let token): next = try await list(token)
        case .startWatch(let version, let timeout, let idleTimeout):
          watch =
            client.watch(selection, resourceVersion: version, timeout: timeout, idleTimeout: idleTimeout)
            .makeAsyncIterator()
        case .stopWatch: watch = nil
        case .wait(let delay):
          watch = nil
          try await clock.sleep(for: delay)
          next = .waited
        }
      }
      if let next {
        event = next
      } else {
        event = try await read(&watch)
      }
    }
  }

  private func list(_ token: String?) async throws -> InformerMachine.Event {
    do {
      return .listed(try await page(token))
    } catch let error as CancellationError {
      throw error
    } catch {
      let failure = RequestFailure(error)
      state.withLock { $0.lastFailure = String(describing: error) }
      // An absent type is told once, not at each attempt.
      if failure != .absent { log.warning("list failed", ["error": String(describing: error)]) }
      return .listFailed(failure)
    }
  }

  private func page(_ token: String?) async throws -> StoredPage {
    switch configuration.form {
    case .value:
      StoredPage(Self.trimmed(try await client.listPage(selection, continueToken: token)), label: configuration.label)
    case .text:
      StoredPage(try await client.listTextPage(selection, label: configuration.label, continueToken: token))
    }
  }

  /// Says once when the type goes and once when it comes.
  private func tell(isAbsent: Bool) {
    let hasChanged = state.withLock { state in
      defer { state.isAbsent = isAbsent }
      return state.isAbsent != isAbsent
    }
    guard hasChanged else { return }
    if isAbsent {
      log.error("\(absenceAdvice); waiting", ["known": store.count])
    } else {
      log.info("\(selection.type.qualifiedResource) are served again")
    }
  }

  private func read(_ watch: inout WatchEvents.Iterator?) async throws -> InformerMachine.Event {
    do {
      guard let event = try await watch?.next() else { return .watchEnded(nil) }
      if case .error(let status) = event { log.info("watch ended", ["error": status.message]) }
      return .watched(Self.trimmed(event))
    } catch let error as CancellationError {
      throw error
    } catch {
      log.info("watch broke", ["error": String(describing: error)])
      return .watchEnded(RequestFailure(error))
    }
  }

  private func publish(_ update: IndexUpdate) {
    let handlers = handlers.withLock { $0 }
    store.apply(update) { change in
      for handler in handlers { handler(change) }
    }
  }

  // Nobody here reads managedFields, and it is often the larger half of an object.
  private static func trimmed(_ object: KubernetesObject) -> KubernetesObject {
    var object = object
    object.json[path: ["metadata", "managedFields"]] = nil
    return object
  }

  private static func trimmed(_ page: ObjectPage) -> ObjectPage {
    var page = page
    page.items = page.items.map(trimmed)
    return page
  }

  private static func trimmed(_ event: WatchEvent) -> WatchEvent {
    switch event {
    case .added(let object): .added(trimmed(object))
    case .modified(let object): .modified(trimmed(object))
    case .deleted(let object): .deleted(trimmed(object))
    case .bookmark, .error: event
    }
  }
}
