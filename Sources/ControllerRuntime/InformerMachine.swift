import KubernetesAPI
import KubernetesClient

/// Keeps a local copy of a selection of objects true, as a value: list, then watch; what goes wrong with either, and what to do
/// then.
///
/// - A dropped watch goes on from the last resource version seen, which bookmarks advance.
/// - A watch that is too far behind (410), or whose reader was, starts over with a list. The copy is replaced at once when the
///   last page is there: until then it stays as it was.
/// - A watch that is silent for too long counts as half-open and is begun anew. If it never said anything, not even a bookmark,
///   the server may not have reached our version yet, as after a restore of older data: the list is read again.
/// - A version older than one seen before says the same: the list is read again.
/// - A type that the server does not know (404) is asked for again every few seconds. Meanwhile the copy stays as it was: an
///   answer that is no list says nothing about objects.
/// - Failures in a row wait longer and longer, with jitter; what the server asks for in `Retry-After` is waited at least, within
///   ``Configuration/patience``.
public struct InformerMachine: Sendable {
  public struct Configuration: Hashable, Sendable {
    public var backoff: ExponentialBackoff
    /// Between two questions for a type that the server does not know: somebody is about to install it.
    public var absenceBackoff: ExponentialBackoff
    /// The longest `Retry-After` that is believed.
    public var patience: Duration
    /// The server ends each watch after a random time within these bounds.
    public var watchTimeout: ClosedRange<Duration>
    /// API servers send a bookmark each minute: two missed ones and some slack.
    public var idleTimeout: Duration
    /// How objects are kept, from the first page of a list on.
    public var form: ObjectForm
    /// A label whose value is kept apart, so that it is known without a parse of the object.
    public var label: String?

    public init(
      backoff: ExponentialBackoff = ExponentialBackoff(base: .milliseconds(400), maximum: .seconds(30)),
      absenceBackoff: ExponentialBackoff = ExponentialBackoff(base: .seconds(1), maximum: .seconds(5)),
      patience: Duration = .seconds(120),
      watchTimeout: ClosedRange<Duration> = .seconds(300)...(.seconds(600)), idleTimeout: Duration = .seconds(150),
      form: ObjectForm = .value, label: String? = nil
    ) {
      self.backoff = backoff
      self.absenceBackoff = absenceBackoff
      self.patience = patience
      self.watchTimeout = watchTimeout
      self.idleTimeout = idleTimeout
      self.form = form
      self.label = label
    }
  }

  /// What happened.
  public enum Event: Hashable, Sendable {
    case started
    case listed(StoredPage)
    case listFailed(RequestFailure)
    case watched(WatchEvent)
    /// Nil: the server ended it, as it does after the timeout.
    case watchEnded(RequestFailure?)
    /// The wait that was asked for is over.
    case waited
    /// Time went by while watching: ask at ``InformerMachine/idleDeadline``.
    case tick
  }

  /// What to do. At most the last one of an answer takes time.
  public enum Effect: Hashable, Sendable {
    case update(IndexUpdate)
    /// The first list is complete.
    case synced
    case list(continueToken: String?)
    case startWatch(resourceVersion: String, timeout: Duration, idleTimeout: Duration)
    case stopWatch
    case wait(Duration)
  }

  private enum Step: Hashable {
    case list
    case watch(resourceVersion: String)
  }

  private enum State: Hashable {
    case idle
    case listing([StoredObject])
    case watching(resourceVersion: String, since: Duration, lastHeard: Duration)
    case waiting(then: Step)
  }

  /// A watch that lives this long, or says anything, ends a row of failures.
  private static let healthyWatch: Duration = .seconds(5)

  private let configuration: Configuration
  private var generator: SeededGenerator
  private var state: State = .idle
  private var failures = 0
  private var hasSynced = false
  /// The server does not know the type: by the last list, or the last watch if that is younger.
  public private(set) var isAbsent = false

  public init(configuration: Configuration = Configuration(), seed: UInt64) {
    self.configuration = configuration
    generator = SeededGenerator(seed: seed)
  }

  /// When the present watch counts as half-open unless it says something before; nil while there is none.
  public var idleDeadline: Duration? {
    guard case .watching(_, _, let lastHeard) = state else { return nil }
    return lastHeard + configuration.idleTimeout
  }

  /// - Parameter now: monotonic. Events that do not fit the state come from something that was ended, and do nothing.
  public mutating func handle(_ event: Event, now: Duration) -> [Effect] {
    switch (state, event) {
    case (.idle, .started): return begin(.list, now)
    case (.listing(let items), .listed(let page)): return listed(items, page, now)
    case (.listing, .listFailed(let failure)): return failed(failure, then: .list)
    case (.watching, .watched(let event)): return watched(event, now)
    case (.watching(let version, let since, _), .watchEnded(let failure)):
      if now - since >= Self.healthyWatch { failures = 0 }
      return watchEnded(failure, resourceVersion: version, wasHealthy: now - since >= Self.healthyWatch, now)
    case (.watching(let version, _, _), .tick):
      guard let deadline = idleDeadline, now >= deadline else { return [] }
      return [.stopWatch] + failed(.passing(retryAfter: nil), then: resumption(version, now))
    case (.waiting(let step), .waited): return begin(step, now)
    default: return []
    }
  }

  private mutating func begin(_ step: Step, _ now: Duration) -> [Effect] {
    switch step {
    case .list:
      state = .listing([])
      return [.list(continueToken: nil)]
    case .watch(let version):
      state = .watching(resourceVersion: version, since: now, lastHeard: now)
      let bounds = configuration.watchTimeout
      let spread = (bounds.upperBound - bounds.lowerBound) * Double.random(in: 0...1, using: &generator)
      return [
        .startWatch(
          resourceVersion: version, timeout: bounds.lowerBound + spread, idleTimeout: configuration.idleTimeout)
      ]
    }
  }

  private mutating func listed(_ items: [StoredObject], _ page: StoredPage, _ now: Duration) -> [Effect] {
    isAbsent = false
    let items = items + page.items
    if let token = page.continueToken {
      state = .listing(items)
      return [.list(continueToken: token)]
    }
    var effects: [Effect] = [.update(.replace(items))]
    if !hasSynced {
      hasSynced = true
      effects.append(.synced)
    }
    return effects + begin(.watch(resourceVersion: page.resourceVersion), now)
  }

  private mutating func watched(_ event: WatchEvent, _ now: Duration) -> [Effect] {
    switch event {
    case .added(let object), .modified(let object):
      guard hear(object.metadata.resourceVersion, now) else { return startOver() }
      return object.metadata.name.isEmpty ? [] : [.update(.put(stored(object)))]
    case .deleted(let object):
      guard hear(object.metadata.resourceVersion, now) else { return startOver() }
      return [.update(.remove(stored(object)))]
    case .bookmark(let version):
      return hear(version, now) ? [] : startOver()
    case .error(let status):
      guard case .watching(let version, _, _) = state else { return [] }
      switch RequestFailure(status) {
      case .passing(let advice):
        return [.stopWatch] + failed(.passing(retryAfter: advice), then: .watch(resourceVersion: version))
      case let failure: return [.stopWatch] + failed(failure, then: .list)
      }
    }
  }

  private func stored(_ object: KubernetesObject) -> StoredObject {
    StoredObject(object, as: configuration.form, label: configuration.label)
  }

  /// - Returns: false when the server's versions went back.
  private mutating func hear(_ version: String, _ now: Duration) -> Bool {
    guard case .watching(let last, let since, _) = state else { return true }
    guard !Self.isOlder(version, than: last) else { return false }
    failures = 0
    state = .watching(resourceVersion: version.isEmpty ? last : version, since: since, lastHeard: now)
    return true
  }

  /// Versions of one type are numbers that grow (KEP-5504); of what is no number nothing is concluded.
  private static func isOlder(_ version: String, than last: String) -> Bool {
    guard let version = UInt64(version), let last = UInt64(last) else { return false }
    return version < last
  }

  private mutating func startOver() -> [Effect] { [.stopWatch] + failed(.expired, then: .list) }

  private mutating func watchEnded(
    _ failure: RequestFailure?, resourceVersion: String, wasHealthy: Bool, _ now: Duration
  ) -> [Effect] {
    switch failure {
    case nil where wasHealthy: return begin(resumption(resourceVersion, now), now)
    case nil: return failed(.passing(retryAfter: nil), then: .watch(resourceVersion: resourceVersion))
    case .expired?, .absent?, .overflow?: return failed(failure ?? .expired, then: .list)
    case .passing?: return failed(failure ?? .expired, then: resumption(resourceVersion, now))
    }
  }

  /// What follows a watch that is over: another one, unless this one was silent for so long that bookmarks should have come.
  private func resumption(_ version: String, _ now: Duration) -> Step {
    guard case .watching(_, let since, let lastHeard) = state, lastHeard == since,
      now - since >= configuration.idleTimeout
    else { return .watch(resourceVersion: version) }
    return .list
  }

  private mutating func failed(_ failure: RequestFailure, then step: Step) -> [Effect] {
    failures += 1
    state = .waiting(then: step)
    if failure == .absent { isAbsent = true }
    let backoff = failure == .absent ? configuration.absenceBackoff : configuration.backoff
    let delay = backoff.delay(failures: failures, using: &generator)
    if case .passing(let advice?) = failure { return [.wait(max(delay, min(advice, configuration.patience)))] }
    return [.wait(delay)]
  }
}
