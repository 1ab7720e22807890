/// One step of a canary: an entry of `spec.rollout.steps`.
public struct CanaryStep: Hashable, Sendable {
  /// Share of the requests that the new template takes, 1 to 100.
  public var trafficPercent: Int
  /// How long the step lasts; nil: until the steps are edited.
  public var pause: Duration?

  public init(trafficPercent: Int, pause: Duration? = nil) {
    self.trafficPercent = trafficPercent
    self.pause = pause
  }
}

/// How the owner wants the present template to reach the pools.
public struct RolloutPlan: Hashable, Sendable {
  /// Names the template.
  public var revision: String
  /// Empty: no canary, the pools roll at once.
  public var steps: [CanaryStep]
  /// Names the steps: an edit gives another.
  public var stepsRevision: String

  public init(revision: String, steps: [CanaryStep] = [], stepsRevision: String = "") {
    self.revision = revision
    self.steps = steps
    self.stepsRevision = stepsRevision
  }
}

/// Why a canary was given up.
public struct CanaryAbort: Hashable, Sendable {
  /// `ErrorRate`, `StartupTimeout`, or the kubelet's word.
  public var reason: String
  public var message: String

  public init(reason: String, message: String) {
    self.reason = reason
    self.message = message
  }
}

/// What is known of a canary at one moment.
public struct CanaryObservation: Hashable, Sendable {
  /// A pool is there that runs the current revision.
  public var hasStable: Bool
  /// A replica of the new template is ready and is to stay.
  public var isServing: Bool
  /// Its replicas crash, or none got ready in time.
  public var failure: CanaryAbort?
  /// Answers since the step began.
  public var answers: AnswerMeter.Total

  public init(
    hasStable: Bool = true, isServing: Bool = false, failure: CanaryAbort? = nil,
    answers: AnswerMeter.Total = AnswerMeter.Total()
  ) {
    self.hasStable = hasStable
    self.isServing = isServing
    self.failure = failure
    self.answers = answers
  }
}

/// What happened to a canary.
public enum RolloutEvent: Hashable, Sendable {
  case started
  case stepped
  /// The last step is over, or the owner wants no canary any more: the pools take the new template over.
  case promoted
  case aborted(CanaryAbort)
  /// The owner went back to the template that the pools run.
  case withdrawn
}

/// How far a change of template has come: all that must survive the controller. Moments are wall time since 1970.
public struct CanaryRollout: Hashable, Sendable {
  /// Revision that the pools run, or roll to.
  public var currentRevision: String
  /// Revision that the owner wants; another one than ``currentRevision`` is tried by the canary.
  public var updateRevision: String
  /// Steps that ``step`` counts.
  public var stepsRevision = ""
  /// Index of the step, from 0.
  public var step = 0
  /// When the step began, moved on by the time in which nothing of the canary served.
  public var stepStart: Duration = .zero
  /// Since when nothing of the canary serves; nil: the step's clock runs.
  public var clockStopped: Duration?
  /// Share of the requests that the step gives the canary.
  public var stepPercent = 0
  /// It stays given up until the template or the steps are others.
  public var abort: CanaryAbort?

  public init(currentRevision: String, updateRevision: String) {
    self.currentRevision = currentRevision
    self.updateRevision = updateRevision
  }

  /// The pools keep another template than the owner wants.
  public var isUnderWay: Bool { currentRevision != updateRevision }

  /// Share of the requests that gateways are to give the canary.
  public var trafficPercent: Int { isUnderWay && abort == nil ? stepPercent : 0 }

  /// Replicas of the canary beside so many of both pools: its share of them, one at least, and none while they sleep.
  public func replicas(beside wanted: Int) -> Int {
    guard trafficPercent > 0, wanted > 0 else { return 0 }
    return min(wanted, max(1, (trafficPercent * wanted + 99) / 100))
  }

  /// Moves on to `now`. - Returns: what happened; nil: nothing.
  public mutating func advance(_ plan: RolloutPlan, _ seen: CanaryObservation, now: Duration) -> RolloutEvent? {
    if plan.revision != updateRevision { return change(to: plan, seen, now: now) }
    guard isUnderWay else { return nil }
    guard !plan.steps.isEmpty, seen.hasStable else { return promote() }
    let isEdited = plan.stepsRevision != stepsRevision || !plan.steps.indices.contains(step)
    if isEdited, let event = takeEdit(plan, now: now) { return event }
    guard abort == nil else { return nil }
    if let failure = seen.failure { return give(up: failure) }
    if case .worse(let figures) = judgeCanary(seen.answers.canary, against: seen.answers.stable) {
      return give(up: CanaryAbort(reason: "ErrorRate", message: figures))
    }
    runClock(seen.isServing, now: now)
    guard clockStopped == nil, let pause = plan.steps[step].pause, now - stepStart >= pause else { return nil }
    guard step + 1 < plan.steps.count else { return promote() }
    enter(step + 1, of: plan, now: now)
    clockStopped = nil
    return .stepped
  }

  private mutating func change(to plan: RolloutPlan, _ seen: CanaryObservation, now: Duration) -> RolloutEvent? {
    let wasUnderWay = isUnderWay
    abort = nil
    updateRevision = plan.revision
    if !isUnderWay { return wasUnderWay ? .withdrawn : nil }
    guard !plan.steps.isEmpty, seen.hasStable else {
      currentRevision = updateRevision
      return wasUnderWay ? .promoted : nil
    }
    enter(0, of: plan, now: now)
    return .started
  }

  /// An edit of the steps takes effect at once, and leaves the canary at the step it has reached. - Returns: nil where that
  /// step is as it was.
  private mutating func takeEdit(_ plan: RolloutPlan, now: Duration) -> RolloutEvent? {
    if abort != nil {
      abort = nil
      enter(0, of: plan, now: now)
      return .started
    }
    let reached = min(step, plan.steps.count - 1)
    if reached == step, plan.steps[reached].trafficPercent == stepPercent {
      stepsRevision = plan.stepsRevision
      return nil
    }
    enter(reached, of: plan, now: now)
    return .stepped
  }

  private mutating func enter(_ index: Int, of plan: RolloutPlan, now: Duration) {
    stepsRevision = plan.stepsRevision
    step = index
    stepPercent = plan.steps[index].trafficPercent
    stepStart = now
    clockStopped = now
  }

  private mutating func runClock(_ isServing: Bool, now: Duration) {
    if !isServing {
      clockStopped = clockStopped ?? now
    } else if let stopped = clockStopped {
      stepStart += max(.zero, now - stopped)
      clockStopped = nil
    }
  }

  private mutating func give(up abort: CanaryAbort) -> RolloutEvent {
    self.abort = abort
    return .aborted(abort)
  }

  private mutating func promote() -> RolloutEvent {
    currentRevision = updateRevision
    abort = nil
    return .promoted
  }
}
