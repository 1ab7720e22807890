import TimeZones

/// Replicas that are wanted at the same times of each week, by the clocks of one zone.
public struct WeeklySchedule: Hashable, Sendable {
  public var name: String
  /// Days on which it starts: 0 for Sunday to 6 for Saturday.
  public var weekdays: Set<Int>
  /// In minutes after midnight.
  public var start: Int
  /// In minutes after midnight, up to 1440; not after ``start``: on the next day.
  public var end: Int
  public var zone: Zone
  /// As its owner named it.
  public var zoneName: String
  public var replicas: Int

  public init(
    name: String, weekdays: Set<Int>, start: Int, end: Int, zone: Zone, zoneName: String, replicas: Int
  ) {
    self.name = name
    self.weekdays = weekdays
    self.start = start
    self.end = end
    self.zone = zone
    self.zoneName = zoneName
    self.replicas = replicas
  }

  /// The schedule in a sentence: `"office" (08:00-18:00 Europe/Berlin)`.
  public var text: String { "\"\(name)\" (\(Self.clock(start))-\(Self.clock(end)) \(zoneName))" }

  private static func clock(_ minutes: Int) -> String {
    [minutes / 60, minutes % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }

  /// When it holds, where it starts on `day`; empty if that day's hours were left out.
  ///
  /// A start that clocks leave out comes when they go forward, and one that they show twice comes the first time; an end that
  /// they leave out comes when they go forward, and one that they show twice the second time. So a day may be shorter or
  /// longer than others, and none is lost or comes twice.
  func window(on day: Int) -> Range<Int> {
    let endDay = end > start ? day : day + 1
    return zone.firstInstant(showing: day * 86_400 + start * 60)..<zone.lastInstant(showing: endDay * 86_400 + end * 60)
  }

  /// Whether it holds at `instant`, and the next instant at which that may change.
  func standing(at instant: Int) -> (holds: Bool, nextChange: Int) {
    let today = CivilDay.containing(zone.reading(at: instant))
    var holds = false
    // A window lasts for up to two days, and no zone ever repeated or left out more than one: in two weeks, each weekday comes.
    let horizon = today + 15
    var next = zone.firstInstant(showing: horizon * 86_400)
    for day in today - 3..<horizon where weekdays.contains(CivilDay.weekday(of: day)) {
      let window = window(on: day)
      if window.lowerBound > instant { return (holds, min(next, window.lowerBound)) }
      guard window.contains(instant) else { continue }
      holds = true
      next = min(next, window.upperBound)
    }
    return (holds, next)
  }
}

/// How many dedicated replicas apply at one instant.
public struct ScheduledReplicas: Hashable, Sendable {
  public var replicas: Int
  /// The schedule that asks for them; nil: they apply outside every schedule.
  public var schedule: WeeklySchedule?
  /// The next instant at which a schedule begins or ends, in seconds since 1970; nil: there is no schedule.
  public var nextChange: Int?
}

/// The largest of `base` and what the schedules that hold at `instant` ask for; of equals, the first.
/// - Parameter instant: seconds since 1970.
public func scheduledReplicas(_ base: Int, _ schedules: [WeeklySchedule], at instant: Int) -> ScheduledReplicas {
  var result = ScheduledReplicas(replicas: base)
  for schedule in schedules {
    let (holds, nextChange) = schedule.standing(at: instant)
    result.nextChange = min(result.nextChange ?? nextChange, nextChange)
    guard holds, schedule.replicas > result.replicas else { continue }
    result.replicas = schedule.replicas
    result.schedule = schedule
  }
  return result
}
