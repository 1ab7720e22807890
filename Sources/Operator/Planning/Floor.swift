import Decisions
import FoundationEssentials
import InferenceAPI
import KubernetesAPI

/// Why the dedicated pool should have as many replicas as it should.
enum Floor: Equatable {
  /// `spec.dedicated.replicas`.
  case owner
  case schedule(WeeklySchedule, nextChange: Date)
  /// This schedule held, and `spec.dedicated.replicas` applies again.
  case ended(WeeklySchedule, nextChange: Date)

  var reason: ScalingReason { self == .owner ? .floorChanged : .schedule }

  /// One sentence for people.
  func message(_ replicas: Int) -> String {
    switch self {
    case .owner: "The owner wants \(replicas) dedicated."
    case .schedule(let schedule, let next):
      "Schedule \(schedule.text) wants \(schedule.replicas) dedicated; the next change is due at \(Timestamp.seconds(next))."
    case .ended(let schedule, let next):
      "Schedule \(schedule.text) is over: \(replicas) dedicated; the next change is due at \(Timestamp.seconds(next))."
    }
  }

  /// For `status.lastDecision.inputs`.
  var inputs: [String: String] {
    switch self {
    case .owner: [:]
    case .schedule(let schedule, let next), .ended(let schedule, let next):
      ["schedule": schedule.name, "timeZone": schedule.zoneName, "nextChange": Timestamp.seconds(next)]
    }
  }
}

extension ServiceIntent {
  /// The intent as it is at `wall`: the policy's dedicated replicas are those of the schedule that holds, if one does.
  func scheduled(at wall: Date) -> ServiceIntent {
    guard !schedules.isEmpty else { return self }
    let now = scheduledReplicas(policy.dedicatedReplicas, schedules, at: Int(wall.timeIntervalSince1970.rounded(.down)))
    var intent = self
    intent.policy.dedicatedReplicas = now.replicas
    intent.schedule = now.schedule
    intent.nextChange = now.nextChange.map { Date(timeIntervalSince1970: Double($0)) }
    return intent
  }

  /// When to look at the schedules again: at the next change, and each minute, because wall clocks are set.
  func scheduleWait(at wall: Date) -> Duration? {
    guard let nextChange, unsupported == nil, !policy.isSuspended else { return nil }
    return min(.seconds(60), max(.milliseconds(50), .seconds(nextChange.timeIntervalSince(wall))))
  }

  /// The schedules of a spec, or what is wrong with their time zones.
  static func schedules(_ spec: DedicatedSpec, _ zones: any TimeZoneSource) -> ([WeeklySchedule], unknown: [String]) {
    var schedules: [WeeklySchedule] = []
    var unknown: [String] = []
    for schedule in spec.schedules {
      do throws(UnknownTimeZone) {
        let zone = schedule.timeZone == "UTC" ? .utc : try zones.zone(named: schedule.timeZone)
        schedules.append(schedule.weekly(in: zone))
      } catch {
        unknown.append("spec.dedicated.schedules[\(schedule.name)].timeZone: \(error)")
      }
    }
    return (schedules, unknown)
  }
}
