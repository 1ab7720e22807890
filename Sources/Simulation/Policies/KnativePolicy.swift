import Decisions

/// A Knative revision with its defaults and `containerConcurrency` set to what a replica takes: the KPA every 2 s on averages
/// over 60 s and 6 s, a wake at once on the first request, and zero once it was inactive for the grace period of 30 s.
///
/// The grace period is an upper bound in Knative: where the activator was in the path for as long, zero comes up to 30 s sooner.
struct KnativePolicy: ReplicaPolicy {
  static let tick: Int64 = 2_000_000
  static let panicWindow: Int64 = 6_000_000
  static let scaleToZeroGrace: Int64 = 30_000_000
  /// `container-concurrency-target-percentage`.
  static let targetUtilization = 0.7

  private struct Course {
    var autoscaler: KnativeAutoscaler
    var window: LoadWindow
    var firstRecord: Int64
    var recordedAt: Int64
    var concurrency: Int64
    /// When the autoscaler first wanted nothing, while it still does.
    var inactiveSince: Int64?
  }
  private let target: Double
  private let maxReplicas: Int
  private var courses: [Course?] = []

  /// - Parameter maxReplicas: of the burst pool; the dedicated replicas are the minimum scale.
  init(maxConcurrency: Int, maxReplicas: Int) {
    target = Double(maxConcurrency) * Self.targetUtilization
    self.maxReplicas = maxReplicas
  }

  mutating func wanted(_ model: Int, _ seen: ModelObservation, now: Int64) -> Int {
    while courses.count <= model { courses.append(nil) }
    var course = courses[model] ?? newCourse(seen, now)
    courses[model] = nil
    // After a sleep there is no history: a window that nothing was written to is empty.
    if seen.burstWanted == 0 && seen.dedicatedReplicas == 0 { course = woken(course, seen, now) }
    defer { courses[model] = course }
    record(seen, now, &course)
    let desired = course.autoscaler.desired(
      ready: seen.burstReady + seen.dedicatedReplicas,
      stable: average(course, over: course.autoscaler.stableWindow, seen, now),
      panic: average(course, over: Self.panicWindow, seen, now), now: now)
    let beyond = max(0, min(maxReplicas, desired - seen.dedicatedReplicas))
    guard beyond == 0, seen.burstWanted > 0, seen.dedicatedReplicas == 0 else {
      course.inactiveSince = nil
      return beyond
    }
    let since = course.inactiveSince ?? now
    course.inactiveSince = since
    return now - since >= Self.scaleToZeroGrace ? 0 : 1
  }

  mutating func nextDecision(model: Int, after now: Int64) -> Int64 { now + Self.tick }

  private func newCourse(_ seen: ModelObservation, _ now: Int64) -> Course {
    Course(
      autoscaler: KnativeAutoscaler(target: target), window: LoadWindow(span: .seconds(60)), firstRecord: now,
      recordedAt: now, concurrency: seen.concurrency)
  }

  private func woken(_ course: Course, _ seen: ModelObservation, _ now: Int64) -> Course {
    var course = course
    course.window = LoadWindow(span: .seconds(60))
    course.firstRecord = now
    course.recordedAt = now
    course.concurrency = seen.concurrency
    return course
  }

  private func record(_ seen: ModelObservation, _ now: Int64, _ course: inout Course) {
    course.window.add(
      Double(seen.concurrency - course.concurrency) / 1e6, from: .microseconds(course.recordedAt),
      to: .microseconds(now))
    course.recordedAt = now
    course.concurrency = seen.concurrency
  }

  /// A partial window is averaged over the time since its first record, so one second of data is enough to act.
  private func average(_ course: Course, over window: Int64, _ seen: ModelObservation, _ now: Int64) -> Double {
    let elapsed = min(window, now - course.firstRecord)
    // The activator's message about a first request counts it as the concurrency so far.
    if elapsed < 1_000_000 { return Double(seen.held + seen.inFlight) }
    return course.window.sum(over: .microseconds(elapsed), until: .microseconds(now)) / (Double(elapsed) / 1e6)
  }
}
