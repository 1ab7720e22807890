import FoundationEssentials
import KubernetesAPI
import Telemetry

/// Who leads, decided by a Lease, as a value. Algorithm: client-go's `leaderelection`.
///
/// Other candidates' clocks are never compared with ours: a Lease is over when *we* have not seen it change for the time its
/// holder promised. We stop leading ``Configuration/renewDeadline`` after the last renewal that succeeded began, which is before
/// any other candidate may take over.
public struct LeaderElectionMachine: Sendable {
  public struct Configuration: Hashable, Sendable {
    /// Name and namespace of the Lease.
    public var lease: ObjectKey
    /// Who we are; unique for every start of every process.
    public var identity: String
    /// How long others wait after the last change they saw. Whole seconds.
    public var leaseDuration: Duration
    /// How long we go on without a renewal; shorter than ``leaseDuration``.
    public var renewDeadline: Duration
    /// Between two attempts.
    public var retryPeriod: Duration

    /// The defaults are client-go's. `renewDeadline` is kept below `leaseDuration`, and `retryPeriod` below that.
    public init(
      lease: ObjectKey, identity: String, leaseDuration: Duration = .seconds(15),
      renewDeadline: Duration = .seconds(10), retryPeriod: Duration = .seconds(2)
    ) {
      self.lease = lease
      self.identity = identity
      self.leaseDuration = max(.seconds(1), leaseDuration)
      self.renewDeadline = min(renewDeadline, self.leaseDuration * 0.8)
      self.retryPeriod = min(retryPeriod, self.renewDeadline * 0.5)
    }
  }

  /// What happened.
  public enum Event: Hashable, Sendable {
    /// Time to look: at the start, after each wait, and when ``LeaderElectionMachine/deadline`` is over.
    case tick
    /// Nil: there is no Lease.
    case read(Lease?)
    /// The Lease was created or replaced, and looks like this now.
    case written(Lease)
    /// Somebody else wrote first: the Lease has to be read again.
    case conflicted
    /// There was no answer, or a refusal.
    case failed
    /// Give the Lease back; what was led has ended.
    case stop
  }

  /// What to do. At most the last one of an answer takes time.
  public enum Effect: Hashable, Sendable {
    case read
    case create(Lease)
    /// Conditional on its resource version.
    case replace(Lease)
    case startLeading
    /// From now on another one may lead.
    case stopLeading
    case wait(Duration)
    case stopped
  }

  private let configuration: Configuration
  private var generator: SeededGenerator
  /// The newest Lease seen, and when we saw it change.
  private var observed: (lease: Lease, at: Duration)?
  private var attemptBegan: Duration = .zero
  /// When the last write that succeeded began.
  private var renewed: Duration?
  private var isStopping = false
  /// Whether we lead.
  public private(set) var isLeader = false

  public init(configuration: Configuration, seed: UInt64) {
    self.configuration = configuration
    generator = SeededGenerator(seed: seed)
  }

  /// Monotonic time at which a request that is under way has to be given up: a leader that cannot renew has to stop then.
  public var deadline: Duration {
    if isLeader, let renewed { return renewed + configuration.renewDeadline }
    return attemptBegan + configuration.renewDeadline
  }

  /// When a write that begins `now` may be sent and answered, in monotonic time; nil: not at all, this process does not lead.
  ///
  /// The bounds count from the beginning of the last renewal, and another candidate counts from when it saw that renewal, which
  /// is later: until ``Configuration/leaseDuration`` is over, nobody else can hold the Lease.
  public func writeWindow(now: Duration) -> (sendBefore: Duration, answerBefore: Duration)? {
    guard isLeader, let renewed, now < renewed + configuration.renewDeadline else { return nil }
    return (renewed + configuration.renewDeadline, renewed + configuration.leaseDuration)
  }

  public mutating func handle(_ event: Event, now: Now) -> [Effect] {
    switch event {
    case .stop: return stop(now)
    case .tick: return tick(now)
    case .read(let lease): return read(lease, now)
    case .written(let lease): return written(lease, now)
    case .conflicted:
      observed = nil
      return isStopping ? [.stopped] : retry(now)
    case .failed: return isStopping ? [.stopped] : retry(now)
    }
  }

  private mutating func tick(_ now: Now) -> [Effect] {
    if isLeader, now.monotonic >= deadline { return lose() }
    attemptBegan = now.monotonic
    if isLeader, let observed { return [.replace(claim(observed.lease, now))] }
    return [.read]
  }

  private mutating func read(_ lease: Lease?, _ now: Now) -> [Effect] {
    guard let lease else {
      observed = nil
      return [.create(claim(nil, now))]
    }
    if observed?.lease.object.spec != lease.object.spec {
      observed = (lease, now.monotonic)
    } else {
      observed?.lease = lease
    }
    let isOurs = lease.holderIdentity == configuration.identity
    if isOurs || lease.holderIdentity.isEmpty { return [.replace(claim(lease, now))] }
    if isLeader { return lose() }
    let remaining = promised(lease) - (now.monotonic - (observed?.at ?? now.monotonic))
    if remaining <= .zero { return [.replace(claim(lease, now))] }
    return [.wait(min(remaining, period()))]
  }

  private mutating func written(_ lease: Lease, _ now: Now) -> [Effect] {
    if isStopping { return [.stopped] }
    observed = (lease, now.monotonic)
    // The write may have taken so long that the others are free to take over already.
    guard now.monotonic < attemptBegan + configuration.renewDeadline else {
      return isLeader ? lose() : [.wait(period())]
    }
    renewed = attemptBegan
    if isLeader { return [.wait(period())] }
    isLeader = true
    return [.startLeading, .wait(period())]
  }

  private mutating func retry(_ now: Now) -> [Effect] {
    guard isLeader else { return [.wait(period())] }
    let remaining = deadline - now.monotonic
    return remaining <= .zero ? lose() : [.wait(min(remaining, configuration.retryPeriod * 0.5))]
  }

  private mutating func lose() -> [Effect] {
    isLeader = false
    renewed = nil
    return [.stopLeading, .wait(period())]
  }

  private mutating func stop(_ now: Now) -> [Effect] {
    isStopping = true
    guard isLeader, let observed else { return [.stopped] }
    isLeader = false
    var lease = observed.lease
    // As client-go releases: nobody holds it, and the next one need not wait.
    lease.holderIdentity = ""
    lease.leaseDurationSeconds = 1
    lease.renewTime = Timestamp.microseconds(now.wall)
    attemptBegan = now.monotonic
    return [.stopLeading, .replace(lease)]
  }

  private func claim(_ present: Lease?, _ now: Now) -> Lease {
    var lease = present ?? Lease(KubernetesObject(.leases, configuration.lease))
    let time = Timestamp.microseconds(now.wall)
    if lease.holderIdentity != configuration.identity {
      lease.leaseTransitions = present == nil ? 0 : lease.leaseTransitions + 1
      lease.holderIdentity = configuration.identity
      lease.acquireTime = time
    }
    lease.renewTime = time
    lease.leaseDurationSeconds = Int(configuration.leaseDuration.components.seconds)
    return lease
  }

  private func promised(_ lease: Lease) -> Duration {
    // A Lease without a promise, or with an absurd one, is given our own.
    guard let seconds = lease.leaseDurationSeconds, (1...3600).contains(seconds) else {
      return configuration.leaseDuration
    }
    return .seconds(seconds)
  }

  private mutating func period() -> Duration {
    // Candidates that were refused together come back one by one.
    configuration.retryPeriod * Double.random(in: 1...(isLeader ? 1 : 1.2), using: &generator)
  }
}
