/// KEDA with the HTTP add-on and its defaults: the first request wakes (counted as at once), an HPA scales between one and the
/// most every 15 s, and a poll every 30 s ends the last replica once the cooldown of 300 s has passed without activity.
struct KedaPolicy: ReplicaPolicy {
  static let cooldown: Int64 = 300_000_000
  static let pollingInterval: Int64 = 30_000_000

  private struct Course {
    var autoscaler: HorizontalAutoscaler
    var lastActive: Int64
    var concurrency: Int64
    var recordedAt: Int64
  }
  private let target: Double
  private let maxReplicas: Int
  private let seed: UInt64
  private var courses: [Course?] = []
  private var idleSince: [Int64] = []

  init(target: Double, maxReplicas: Int, seed: UInt64) {
    self.target = target
    self.maxReplicas = maxReplicas
    self.seed = seed
  }

  mutating func wanted(_ model: Int, _ seen: ModelObservation, now: Int64) -> Int {
    while courses.count <= model {
      courses.append(nil)
      idleSince.append(.min)
    }
    var course = courses[model] ?? newCourse(seen, now)
    courses[model] = nil
    defer { courses[model] = course }
    // The add-on counts requests four times a second and says so at once: activity ends with the last request.
    course.lastActive = seen.held + seen.inFlight > 0 ? now : max(course.lastActive, idleSince[model])
    if seen.burstWanted == 0 {
      course.autoscaler.reset()
      course.recordedAt = now
      course.concurrency = seen.concurrency
      return seen.held + seen.inFlight > 0 ? max(1, min(maxReplicas, 1)) : 0
    }
    if isPoll(model, now), now - course.lastActive >= Self.cooldown { return 0 }
    let passed = now - course.recordedAt
    guard passed > 0 else { return seen.burstWanted }
    let load = Double(seen.concurrency - course.concurrency) / Double(passed)
    course.recordedAt = now
    course.concurrency = seen.concurrency
    let current = seen.burstWanted + seen.dedicatedReplicas
    return max(1, course.autoscaler.desired(current: current, load: load, now: now) - seen.dedicatedReplicas)
  }

  mutating func nextDecision(model: Int, after now: Int64) -> Int64 {
    let phase = phase(of: model)
    return ((now - phase) / HorizontalAutoscaler.syncPeriod + 1) * HorizontalAutoscaler.syncPeriod + phase
  }

  mutating func becameIdle(model: Int, now: Int64) -> Int64? {
    if model < idleSince.count { idleSince[model] = now }
    return nil
  }

  /// Loops of different models do not run in step.
  private func phase(of model: Int) -> Int64 {
    Int64(mixed(seed, UInt64(model), 0x6B65_6461) % UInt64(Self.pollingInterval))
  }

  private func isPoll(_ model: Int, _ now: Int64) -> Bool { (now - phase(of: model)) % Self.pollingInterval == 0 }

  private func newCourse(_ seen: ModelObservation, _ now: Int64) -> Course {
    Course(
      autoscaler: HorizontalAutoscaler(
        target: target, minReplicas: seen.dedicatedReplicas, maxReplicas: maxReplicas + seen.dedicatedReplicas),
      lastActive: now, concurrency: seen.concurrency, recordedAt: now)
  }
}
