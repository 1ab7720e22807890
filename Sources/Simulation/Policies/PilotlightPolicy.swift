import Decisions

/// What runs in the controller: ``decideScale(_:_:_:now:)`` once a second while a model is active, and at once when a request
/// finds it asleep, on observations that went through the controller's ``LoadMeter``.
///
/// Ticks that cannot decide anything are left out: while nothing is in flight or held and one replica is wanted, nothing
/// changes until `sleepAfter` has passed; while something is, nothing changes where one replica is the most.
struct PilotlightPolicy: ReplicaPolicy {
  /// How often the controller decides, and gateways report.
  static let tick: Int64 = 1_000_000

  private struct Course {
    var state: ScalingState
    var meter: LoadMeter
    var policy: ScalingPolicy
    /// Ticks come in whole seconds after this.
    var firstTick: Int64
    /// At the last decision: something was held or in flight; one replica was wanted.
    var isBusy = false
    var wantsOne = false
    /// What was planned for the silence under way, and when that began.
    var plan: IdlePlan?
    var idleSince: Int64 = 0
    /// At the decision before the last, too, nothing was held or in flight.
    var isQuiet = false
    /// What the meter was told last, and when.
    var requests = 0
    var concurrency: Int64 = 0
    var recordedAt: Int64 = 0
  }
  private let leavesOutTicks: Bool
  private let policy: ScalingPolicy
  /// Idle windows of each model's own; nil: the policy's `sleepAfter`.
  private var windows: (any IdleWindowPolicy)?
  private var courses: [Course?] = []

  init(_ policy: ScalingPolicy, windows: (any IdleWindowPolicy)? = nil, leavesOutTicks: Bool = true) {
    self.policy = policy
    self.windows = windows
    self.leavesOutTicks =
      leavesOutTicks && policy.dedicatedReplicas == 0 && policy.spareBurstReplicas == 0 && policy.objective == nil
  }

  var learnsAcrossModels: Bool { windows?.learnsAcrossModels ?? false }

  mutating func wanted(_ model: Int, _ seen: ModelObservation, now: Int64) -> Int {
    let moment = Duration.microseconds(now)
    while courses.count <= model { courses.append(nil) }
    var course = courses[model] ?? newCourse(at: moment)
    courses[model] = nil
    // A model that was asleep is watched from now on.
    if seen.burstWanted == 0 { course.firstTick = now }
    course.meter.record(
      LoadSample(
        held: seen.held, inFlight: seen.inFlight, requestsTotal: seen.requests,
        concurrencySeconds: Double(seen.concurrency) / 1e6,
        tokensTotal: Int(seen.promptTokens + seen.outputTokens),
        service: policy.objective == nil ? nil : seen.serviceTotals),
      from: "simulation", bootID: "simulation", at: moment)
    let policy = course.policy
    course.meter.watchBursts(for: policy.objective, now: moment)
    var observation = ScalingObservation(
      held: seen.held, inFlight: seen.inFlight,
      lastActivity: course.meter.lastActivity, dedicatedReplicas: seen.dedicatedReplicas,
      dedicatedReady: seen.dedicatedReplicas, burstWanted: seen.burstWanted, burstReady: seen.burstReady)
    observation.take(course.meter.read(policy, now: moment))
    observation.isExpected = course.plan.map { $0.isExpected(after: now - course.idleSince) } ?? false
    let decision = decideScale(policy, &course.state, observation, now: moment)
    let isBusy = seen.held + seen.inFlight > 0
    course.isQuiet = !isBusy && !course.isBusy
    course.requests = seen.requests
    course.concurrency = seen.concurrency
    course.recordedAt = now
    course.isBusy = isBusy
    course.wantsOne = decision.burst == 1
    courses[model] = course
    return decision.burst
  }

  mutating func nextDecision(model: Int, after now: Int64) -> Int64 {
    let next = now + Self.tick
    guard leavesOutTicks, let course = courses[model], course.wantsOne else { return next }
    if course.isBusy { return policy.maxBurstReplicas == 1 ? .max : next }
    guard course.isQuiet, let since = course.meter.lastActivity else { return next }
    // While a request is expected, nothing changes until it is not any more.
    if let plan = course.plan, plan.isExpected(after: now - course.idleSince) {
      return max(next, tick(of: course, notBefore: course.idleSince + plan.nextChange(after: now - course.idleSince)))
    }
    return max(next, tick(of: course, notBefore: (since + course.policy.sleepAfter).wholeMicroseconds))
  }

  mutating func nextDecisionAtRest(model: Int, after now: Int64) -> Int64 {
    guard model < courses.count, let course = courses[model], let plan = course.plan else { return .max }
    let next = plan.nextChange(after: now - course.idleSince)
    return next < .max ? course.idleSince + next : .max
  }

  mutating func becameIdle(model: Int, now: Int64) -> Int64? {
    guard model < courses.count, let course = courses[model] else { return nil }
    if let plan = windows?.plan(model: model, idleSince: now) {
      courses[model]?.policy.sleepAfter = .microseconds(min(plan.keep, 1 << 53))
      courses[model]?.plan = plan
      courses[model]?.idleSince = now
    }
    return leavesOutTicks ? tick(of: course, notBefore: now) : nil
  }

  mutating func becameBusy(model: Int, idleSince: Int64, now: Int64) -> Int64? {
    windows?.noteGap(model: model, idleSince: idleSince, gap: now - idleSince)
    if model < courses.count { courses[model]?.plan = nil }
    guard leavesOutTicks, model < courses.count, var course = courses[model], course.wantsOne else { return nil }
    courses[model] = nil
    if course.isQuiet { recordQuiet(&course, before: now) }
    course.isBusy = true
    courses[model] = course
    return policy.maxBurstReplicas == 1 ? nil : tick(of: course, notBefore: now)
  }

  /// Tells the meter what the last tick before `now` would have: that nothing had happened yet. Else the load that comes now
  /// would count as spread over all the time since the last tick that was not left out.
  private func recordQuiet(_ course: inout Course, before now: Int64) {
    let last = tick(of: course, notBefore: now) - Self.tick
    guard last > course.recordedAt else { return }
    course.meter.record(
      LoadSample(requestsTotal: course.requests, concurrencySeconds: Double(course.concurrency) / 1e6),
      from: "simulation", bootID: "simulation", at: .microseconds(last))
    course.recordedAt = last
  }

  private func tick(of course: Course, notBefore moment: Int64) -> Int64 {
    guard moment < 1 << 60 else { return .max }
    let passed = max(0, moment - course.firstTick)
    return course.firstTick + (passed + Self.tick - 1) / Self.tick * Self.tick
  }

  private func newCourse(at moment: Duration) -> Course {
    Course(
      state: ScalingState(startedAt: moment, holdScaleDownUntil: moment),
      meter: LoadMeter(span: max(policy.stableWindow, policy.panicWindow)), policy: policy,
      firstTick: moment.wholeMicroseconds)
  }
}
