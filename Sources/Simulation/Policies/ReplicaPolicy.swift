import Decisions

/// What a policy may know of a model, on virtual time. Counters go up from 0; moments and times are in microseconds.
public struct ModelObservation: Hashable, Sendable {
  /// Requests that wait, and those at replicas or at an overflow endpoint.
  public var held: Int
  public var inFlight: Int
  /// Requests and tokens so far.
  public var requests: Int
  public var promptTokens: Int64
  public var outputTokens: Int64
  /// Integral of `held + inFlight`, in request-microseconds.
  public var concurrency: Int64
  /// Requests that replicas have finished, the sum of their times at the replica, and of the squares of these (seconds²).
  public var finished: Int
  public var serviceTime: Int64
  public var squaredServiceSeconds: Double
  /// The same with times to the first token and gaps between arrivals, as gateways measure them; empty without an objective.
  public var serviceTotals: ServiceTotals
  public var dedicatedReplicas: Int
  /// Burst replicas that are wanted, and those that take requests.
  public var burstWanted: Int
  public var burstReady: Int
}

/// Decides how many burst replicas a model has. Moments are in microseconds.
public protocol ReplicaPolicy: Sendable {
  /// Decisions depend on other models' past: then models advance together, else each by itself.
  var learnsAcrossModels: Bool { get }
  /// A baseline: replicas are there when they are needed, and its replica time is counted by ``BaselineDemand``; nil: it is none.
  var baseline: Baseline? { get }
  /// Asked when a request finds the model asleep, and when ``nextDecision(model:after:)`` or
  /// ``nextDecisionAtRest(model:after:)`` said.
  mutating func wanted(_ model: Int, _ seen: ModelObservation, now: Int64) -> Int
  /// When to ask next while the model has replicas or requests; `Int64.max`: when something happens.
  mutating func nextDecision(model: Int, after now: Int64) -> Int64
  /// When to ask next while it has neither; `Int64.max`: when a request comes.
  mutating func nextDecisionAtRest(model: Int, after now: Int64) -> Int64
  /// The last request has ended. Returns a further moment at which to ask; nil: none.
  mutating func becameIdle(model: Int, now: Int64) -> Int64?
  /// A request ended an idle period. Returns a further moment at which to ask; nil: none.
  mutating func becameBusy(model: Int, idleSince: Int64, now: Int64) -> Int64?
}

extension ReplicaPolicy {
  public var learnsAcrossModels: Bool { false }
  public var baseline: Baseline? { nil }
  public mutating func nextDecisionAtRest(model: Int, after now: Int64) -> Int64 { .max }
  public mutating func becameIdle(model: Int, now: Int64) -> Int64? { nil }
  public mutating func becameBusy(model: Int, idleSince: Int64, now: Int64) -> Int64? { nil }
}

/// An idle window as a replica policy: one replica while there is something to do, and as long after as the plan says.
struct OneReplicaByWindow<Window: IdleWindowPolicy>: ReplicaPolicy {
  private struct Course {
    var plan: IdlePlan?
    var since: Int64 = 0
  }
  private var window: Window
  private var courses: [Course] = []

  init(_ window: Window) { self.window = window }

  var learnsAcrossModels: Bool { window.learnsAcrossModels }

  mutating func wanted(_ model: Int, _ seen: ModelObservation, now: Int64) -> Int {
    guard seen.held == 0, seen.inFlight == 0, model < courses.count, let plan = courses[model].plan else { return 1 }
    return plan.isAwake(after: now - courses[model].since) ? 1 : 0
  }

  mutating func nextDecision(model: Int, after now: Int64) -> Int64 {
    guard model < courses.count, let plan = courses[model].plan else { return .max }
    let next = plan.nextChange(after: now - courses[model].since)
    return next < .max ? courses[model].since + next : .max
  }

  mutating func nextDecisionAtRest(model: Int, after now: Int64) -> Int64 { nextDecision(model: model, after: now) }

  mutating func becameIdle(model: Int, now: Int64) -> Int64? {
    while courses.count <= model { courses.append(Course()) }
    courses[model] = Course(plan: window.plan(model: model, idleSince: now), since: now)
    return courses[model].plan?.keep == 0 ? now : nextDecision(model: model, after: now)
  }

  mutating func becameBusy(model: Int, idleSince: Int64, now: Int64) -> Int64? {
    while courses.count <= model { courses.append(Course()) }
    courses[model].plan = nil
    window.noteGap(model: model, idleSince: idleSince, gap: now - idleSince)
    return nil
  }
}

/// A baseline: a replica is there as soon as the load needs it, and stays.
struct BaselinePolicy: ReplicaPolicy {
  let slots: ReplicaSlots
  let baseline: Baseline?
  mutating func wanted(_ model: Int, _ seen: ModelObservation, now: Int64) -> Int {
    max(seen.burstWanted, slots.replicas(for: seen.held + seen.inFlight) - slots.dedicatedReplicas)
  }
  mutating func nextDecision(model: Int, after now: Int64) -> Int64 { .max }
}
