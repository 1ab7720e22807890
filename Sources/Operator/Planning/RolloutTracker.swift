import Decisions
import FoundationEssentials
import KubernetesAPI
import Telemetry

/// Follows a change of template: what survives the controller, and what one controller knows besides.
struct RolloutTracker: Equatable {
  /// As the status says, or will say; nil: nothing is known yet.
  private(set) var rollout: CanaryRollout?
  /// What had been answered when the step began.
  private var answersBefore = AnswerMeter.Total()
  /// Since when the canary has wanted replicas and none is ready; monotonic.
  private var startingSince: Duration?
  /// The canary's pods and its Deployment are of the present template.
  private var isClean = false

  /// - Parameter rollout: what an earlier controller wrote down, to go on from.
  init(_ rollout: CanaryRollout?) { self.rollout = rollout }

  /// Everything that one look at a canary needs.
  struct Inputs {
    var plan: RolloutPlan
    var pools: PerPool<PoolObservation>
    /// Since this controller began to listen.
    var answers: AnswerMeter.Total
    var startupTimeout: Duration
    /// What a crashed container of the canary said.
    var lastWords: String?
    /// Why its Deployment makes no pods.
    var replicaFailure: String?
    var now: Now
  }

  mutating func advance(_ inputs: Inputs) -> RolloutEvent? {
    let (plan, canary) = (inputs.plan, inputs.pools.canary)
    // Pods of a template before go first, so that what they answer is not counted against the present one.
    isClean = canary.isCurrent && canary.pods.allSatisfy { $0.isUpdated || $0.isFinished }
    if !isClean { answersBefore = inputs.answers }
    var rollout = self.rollout ?? Self.adopted(plan, inputs.pools)
    let isServing = isClean && canary.wanted > 0 && canary.ready > 0
    let seen = CanaryObservation(
      hasStable: Pool.lasting.contains { inputs.pools[$0].exists }, isServing: isServing,
      failure: isClean ? failure(inputs) : nil, answers: inputs.answers - answersBefore)
    let event = rollout.advance(plan, seen, now: .seconds(inputs.now.wall.timeIntervalSince1970))
    if event == .started || event == .stepped { answersBefore = inputs.answers }
    if event == .started { startingSince = nil }
    self.rollout = rollout
    return event
  }

  /// Replicas of the canary beside so many of both pools.
  func replicas(beside wanted: Int) -> Int { isClean ? rollout?.replicas(beside: wanted) ?? 0 : 0 }

  /// A service of which no rollout is written down: its pools run the present template unless their Deployments say otherwise.
  private static func adopted(_ plan: RolloutPlan, _ pools: PerPool<PoolObservation>) -> CanaryRollout {
    let isOlder = Pool.lasting.contains { pools[$0].exists && !pools[$0].isCurrent }
    let current = isOlder && !plan.steps.isEmpty ? "unknown" : plan.revision
    return CanaryRollout(currentRevision: current, updateRevision: current)
  }

  /// A canary that crashes, or does not get ready in time, is no wake that failed: the pools have nothing to do with it.
  private mutating func failure(_ inputs: Inputs) -> CanaryAbort? {
    let canary = inputs.pools.canary
    guard canary.wanted > 0 else {
      startingSince = nil
      return nil
    }
    if let trouble = canary.live.lazy.compactMap(\.trouble).first(where: \.isFatal) {
      return CanaryAbort(reason: trouble.reason, message: inputs.lastWords ?? trouble.message)
    }
    guard canary.ready == 0 else {
      startingSince = nil
      return nil
    }
    let since = startingSince ?? canary.startBegan(inputs.now)
    startingSince = since
    guard inputs.now.monotonic - since > inputs.startupTimeout else { return nil }
    let message = "no replica was ready within timeouts.startup (\(inputs.startupTimeout.shortText))"
    let words = inputs.replicaFailure ?? canary.pods.lazy.compactMap(\.unschedulable).first?.message
    return CanaryAbort(reason: "StartupTimeout", message: words.map { "\(message): \($0)" } ?? message)
  }
}

extension PoolObservation {
  /// When its start began, on the monotonic clock: where an earlier controller began it, its oldest pod tells when.
  func startBegan(_ now: Now) -> Duration {
    let oldest = live.compactMap { Timestamp.parse($0.createdAt) }.min() ?? now.wall
    return now.monotonic - .seconds(max(0, now.wall.timeIntervalSince(oldest)))
  }
}
