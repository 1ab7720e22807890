import Decisions
import Testing

@Suite struct CanaryTests {
  private static func count(_ errors: Int, _ answers: Int) -> AnswerCount {
    AnswerCount(answers: answers, errors: errors)
  }

  @Test(
    "A canary is worse where it fails more often than chance explains",
    arguments: [
      // Errors and answers of the canary, then of the pools.
      (9, 9, 0, 40, false), (10, 10, 0, 40, true), (3, 10, 0, 40, false), (4, 10, 0, 40, true),
      (10, 10, 40, 40, false), (9, 1000, 0, 4000, false), (10, 1000, 0, 4000, true),
      (30, 1000, 100, 4000, false), (50, 1000, 100, 4000, true), (0, 1000, 400, 400, false),
      // Nothing to compare with.
      (1, 10, 0, 0, false), (2, 10, 0, 0, true), (0, 0, 0, 0, false),
    ])
  func judgement(_ errors: Int, _ answers: Int, _ stableErrors: Int, _ stableAnswers: Int, isWorse: Bool) {
    let verdict = judgeCanary(Self.count(errors, answers), against: Self.count(stableErrors, stableAnswers))
    #expect((verdict != .acceptable) == isWorse, "\(verdict)")
  }

  @Test("The verdict names its figures")
  func figures() {
    let verdict = judgeCanary(Self.count(10, 20), against: Self.count(1, 80))
    #expect(verdict == .worse("the canary failed 10 of 20 (50%) answers, the pools 1 of 80 (1.3%)"))
  }

  @Test(
    "Counts of gateways add up; the first word of one is a base, a restart begins at zero, and a lost line loses nothing"
  )
  func meter() {
    func total(_ canary: Int, _ stable: Int) -> AnswerMeter.Total {
      AnswerMeter.Total(canary: Self.count(canary, canary), stable: Self.count(0, stable))
    }
    var meter = AnswerMeter()
    meter.record(total(5, 50), from: "g", bootID: "1", isFirstWord: true)
    #expect(meter.total == total(0, 0))
    meter.record(total(7, 60), from: "g", bootID: "1", isFirstWord: false)
    meter.record(total(3, 4), from: "h", bootID: "1", isFirstWord: false)
    #expect(meter.total == total(5, 14))
    meter.record(total(2, 1), from: "g", bootID: "2", isFirstWord: false)
    meter.remove(gateway: "h")
    #expect(meter.total == total(7, 15))
  }

  // MARK: - The course

  private static let steps = [
    CanaryStep(trafficPercent: 20, pause: .seconds(60)), CanaryStep(trafficPercent: 50, pause: .seconds(30)),
  ]

  private static func plan(_ revision: String = "b", _ steps: [CanaryStep] = steps, edit: String = "1") -> RolloutPlan {
    RolloutPlan(revision: revision, steps: steps, stepsRevision: edit)
  }

  /// A canary of revision `b` that began at 0 s and has served since.
  private static func begun(_ plan: RolloutPlan = plan()) -> CanaryRollout {
    var rollout = CanaryRollout(currentRevision: "a", updateRevision: "a")
    #expect(rollout.advance(plan, CanaryObservation(), now: .zero) == .started)
    #expect(rollout.advance(plan, CanaryObservation(isServing: true), now: .zero) == nil)
    return rollout
  }

  private static let serving = CanaryObservation(isServing: true)

  @Test("Step after step by the time in which the canary serves, then the pools take over")
  func course() {
    var rollout = Self.begun()
    #expect((rollout.trafficPercent, rollout.step) == (20, 0))
    #expect(rollout.advance(Self.plan(), Self.serving, now: .seconds(59)) == nil)
    // Asleep from 59 s to 1000 s: that is no time of the step.
    #expect(rollout.advance(Self.plan(), CanaryObservation(), now: .seconds(59)) == nil)
    #expect(rollout.advance(Self.plan(), CanaryObservation(), now: .seconds(900)) == nil)
    #expect(rollout.advance(Self.plan(), Self.serving, now: .seconds(1000)) == nil)
    #expect(rollout.advance(Self.plan(), Self.serving, now: .seconds(1001)) == .stepped)
    #expect((rollout.trafficPercent, rollout.step) == (50, 1))
    #expect(rollout.advance(Self.plan(), Self.serving, now: .seconds(1030)) == nil)
    #expect(rollout.advance(Self.plan(), Self.serving, now: .seconds(1031)) == .promoted)
    #expect(!rollout.isUnderWay && rollout.currentRevision == "b" && rollout.trafficPercent == 0)
    #expect(rollout.advance(Self.plan(), Self.serving, now: .seconds(2000)) == nil)
  }

  @Test("A step without a pause waits for an edit, which keeps the step that was reached")
  func edits() {
    let waiting = Self.plan("b", [CanaryStep(trafficPercent: 20)])
    var rollout = Self.begun(waiting)
    #expect(rollout.advance(waiting, Self.serving, now: .seconds(1_000_000)) == nil)
    let longer = Self.plan(
      "b", [CanaryStep(trafficPercent: 20, pause: .zero), CanaryStep(trafficPercent: 70)], edit: "2")
    #expect(rollout.advance(longer, Self.serving, now: .seconds(1_000_001)) == .stepped)
    #expect((rollout.step, rollout.trafficPercent) == (1, 70))
    // Fewer steps than were reached: back to the last there is, never on to the pools by that alone.
    let shorter = Self.plan("b", [CanaryStep(trafficPercent: 30, pause: .seconds(9))], edit: "3")
    #expect(rollout.advance(shorter, Self.serving, now: .seconds(1_000_100)) == .stepped)
    #expect((rollout.step, rollout.trafficPercent) == (0, 30))
    #expect(rollout.advance(RolloutPlan(revision: "b"), Self.serving, now: .seconds(1_000_101)) == .promoted)
  }

  @Test("Going back to the template of the pools ends the canary; another template begins anew")
  func otherTemplates() {
    var rollout = Self.begun()
    #expect(rollout.advance(Self.plan("c"), Self.serving, now: .seconds(50)) == .started)
    #expect(rollout.stepStart == .seconds(50) && rollout.currentRevision == "a")
    #expect(rollout.advance(Self.plan("a"), Self.serving, now: .seconds(51)) == .withdrawn)
    #expect(!rollout.isUnderWay && rollout.currentRevision == "a")
  }

  @Test("An abort stays until the template or the steps are others")
  func aborts() {
    var rollout = Self.begun()
    let answers = AnswerMeter.Total(canary: Self.count(10, 10), stable: Self.count(0, 40))
    let bad = CanaryObservation(isServing: true, answers: answers)
    guard case .aborted(let abort)? = rollout.advance(Self.plan(), bad, now: .seconds(5)) else {
      Issue.record("not aborted")
      return
    }
    #expect(abort.reason == "ErrorRate" && rollout.trafficPercent == 0 && rollout.replicas(beside: 10) == 0)
    #expect(rollout.advance(Self.plan(), Self.serving, now: .seconds(10_000)) == nil)
    #expect(rollout.abort == abort && rollout.currentRevision == "a")
    #expect(rollout.advance(Self.plan(edit: "2"), Self.serving, now: .seconds(10_001)) == .started)
    let crash = CanaryAbort(reason: "CrashLoopBackOff", message: "exit 1")
    let crashing = CanaryObservation(failure: crash)
    #expect(rollout.advance(Self.plan(edit: "2"), crashing, now: .seconds(10_002)) == .aborted(crash))
    #expect(rollout.advance(Self.plan("c", edit: "2"), Self.serving, now: .seconds(10_003)) == .started)
    #expect(rollout.abort == nil && rollout.trafficPercent == 20)
  }

  @Test("Without steps, or with no pool that runs anything, there is no canary")
  func noCanary() {
    var rollout = CanaryRollout(currentRevision: "a", updateRevision: "a")
    #expect(rollout.advance(RolloutPlan(revision: "b"), CanaryObservation(), now: .zero) == nil)
    #expect(rollout.currentRevision == "b")
    #expect(rollout.advance(Self.plan("c"), CanaryObservation(hasStable: false), now: .zero) == nil)
    #expect(rollout.currentRevision == "c" && !rollout.isUnderWay)
  }

  @Test(
    "Its share of what the pools want, one at least, and none while they sleep",
    arguments: [(20, 0, 0), (20, 1, 1), (20, 5, 1), (20, 6, 2), (50, 3, 2), (100, 3, 3), (1, 100, 1), (1, 101, 2)])
  func replicas(_ percent: Int, _ wanted: Int, _ expected: Int) {
    let rollout = Self.begun(Self.plan("b", [CanaryStep(trafficPercent: percent)]))
    #expect(rollout.replicas(beside: wanted) == expected)
  }
}
