import Testing

@testable import Decisions
@testable import TimeZones

@Suite struct ScheduledReplicasTests {
  static let berlin = "CET-1CEST,M3.5.0,M10.5.0/3"
  static let everyDay = Set(0...6)

  static func schedule(
    _ start: Int, _ end: Int, days: Set<Int> = everyDay, rule text: String = "UTC0", replicas: Int = 3,
    name: String = "s"
  ) throws -> WeeklySchedule {
    let rule = try ZoneRule(parsing: text.utf8)
    // The changes of some years as a list: asked for the offset at a million minutes, it answers sooner than the rule.
    let changes = rule.changes(from: at(1, 1) - 86_400 * 730, to: at(1, 1) + 86_400 * 730)
    let zone = Zone(
      times: changes.map(\.time), offsets: changes.map(\.offset), firstOffset: rule.standardOffset, rule: rule)
    return WeeklySchedule(
      name: name, weekdays: days, start: start * 60, end: end * 60, zone: zone, zoneName: text, replicas: replicas)
  }

  /// Seconds from 1970 to an hour of a day of 2026.
  static func at(_ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0) -> Int {
    CivilDay.number(year: 2026, month: month, day: day) * 86_400 + hour * 3600 + minute * 60
  }

  static func replicas(_ schedule: WeeklySchedule, at instant: Int) -> Int {
    scheduledReplicas(0, [schedule], at: instant).replicas
  }

  @Test("Office hours follow the clocks of their zone, and the next change is told")
  func officeHours() throws {
    // Monday to Friday; the 5th of January is a Monday.
    let office = try Self.schedule(8, 18, days: [1, 2, 3, 4, 5], rule: Self.berlin)
    for (day, winter) in [(Self.at(1, 5), true), (Self.at(7, 6), false)] {
      let (start, end) = (day + (winter ? 7 : 6) * 3600, day + (winter ? 17 : 16) * 3600)
      #expect(scheduledReplicas(1, [office], at: start - 1) == ScheduledReplicas(replicas: 1, nextChange: start))
      #expect(
        scheduledReplicas(1, [office], at: start) == ScheduledReplicas(replicas: 3, schedule: office, nextChange: end))
      #expect(scheduledReplicas(1, [office], at: end - 1).replicas == 3)
      #expect(scheduledReplicas(1, [office], at: end) == ScheduledReplicas(replicas: 1, nextChange: start + 86_400))
      // From Friday evening to Monday.
      #expect(scheduledReplicas(1, [office], at: end + 4 * 86_400).nextChange == start + 7 * 86_400)
    }
  }

  @Test("The largest holds, the number outside of schedules included; of equals the first")
  func largest() throws {
    let day = try Self.schedule(8, 18, replicas: 3, name: "day")
    let noon = try Self.schedule(11, 13, replicas: 5, name: "noon")
    let copy = try Self.schedule(11, 13, replicas: 5, name: "copy")
    func result(_ base: Int, _ hour: Int) -> (Int, String?) {
      let result = scheduledReplicas(base, [day, noon, copy], at: Self.at(1, 5, hour))
      return (result.replicas, result.schedule?.name)
    }
    #expect(result(2, 7) == (2, nil) && result(2, 9) == (3, "day") && result(2, 12) == (5, "noon"))
    #expect(result(3, 9) == (3, nil) && result(4, 12) == (5, "noon") && result(9, 12) == (9, nil))
    #expect(scheduledReplicas(2, [], at: 0) == ScheduledReplicas(replicas: 2))
  }

  @Test("An end before the start is on the next day, and belongs to the day of the start")
  func overnight() throws {
    // Saturdays only.
    let night = try Self.schedule(22, 6, days: [6])
    for (instant, replicas) in [
      (Self.at(1, 10, 5), 0), (Self.at(1, 10, 21, 59), 0), (Self.at(1, 10, 22), 3), (Self.at(1, 11, 5, 59), 3),
      (Self.at(1, 11, 6), 0), (Self.at(1, 11, 22), 0),
    ] { #expect(Self.replicas(night, at: instant) == replicas, "\(instant)") }
    let wholeDays = try Self.schedule(0, 24)
    for hour in 0..<400 { #expect(Self.replicas(wholeDays, at: Self.at(1, 5, hour)) == 3) }
  }

  @Test(
    "A day on which clocks change is shorter or longer, and neither lost nor there twice",
    arguments: [
      // In Berlin: on the 29th of March 02:00 to 03:00 is left out, on the 25th of October it comes twice.
      (2, 3, 3, 29, 1, 1), (1, 2, 3, 29, 0, 1), (0, 24, 3, 29, -1, 22), (2, 8, 3, 29, 1, 6),
      (2, 3, 10, 25, 0, 2), (1, 2, 10, 25, -1, 1), (0, 24, 10, 25, -2, 23), (3, 4, 10, 25, 2, 3),
      (23, 4, 10, 24, 21, 27),
    ])
  func changes(start: Int, end: Int, month: Int, day: Int, from: Int, to: Int) throws {
    let schedule = try Self.schedule(start, end, rule: Self.berlin)
    let day = CivilDay.number(year: 2026, month: month, day: day)
    #expect(schedule.window(on: day) == day * 86_400 + from * 3600..<day * 86_400 + to * 3600)
    // The days around it are as long as ever.
    for other in [day - 2, day + 2] {
      #expect(schedule.window(on: other).count == ((end - start + 24) % 24 == 0 ? 24 : (end - start + 24) % 24) * 3600)
    }
  }

  @Test("In UTC every week is like any other", arguments: [-3000, -1, 1, 52, 40_000])
  func weeks(weeks: Int) throws {
    let schedule = try Self.schedule(22, 6, days: [1, 3, 6])
    for instant in stride(from: Self.at(6, 1), to: Self.at(6, 8), by: 1700) {
      let (here, there) = (schedule.standing(at: instant), schedule.standing(at: instant + weeks * 604_800))
      #expect(there.holds == here.holds && there.nextChange == here.nextChange + weeks * 604_800)
    }
  }

  @Test(
    "At every minute of a year it is as one finds by watching the clock",
    arguments: [
      // Steps of a quarter of an hour find as much where all times are multiples of it.
      (berlin, 22, 2, [0, 6], 60), (berlin, 2, 3, [0, 1, 2, 3, 4, 5, 6], 900),
      ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2, 24, [0, 3], 900), ("IST-1GMT0,M10.5.0,M3.5.0/1", 1, 2, [0], 900),
      ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 0, 24, [0, 6], 900),
    ] as [(String, Int, Int, Set<Int>, Int)])
  func watched(rule: String, start: Int, end: Int, days: Set<Int>, step: Int) throws {
    let schedule = try Self.schedule(start, end, days: days, rule: rule)
    let (first, last) = (Self.at(1, 1), Self.at(12, 31))
    var watch = ClockWatch(schedule: schedule, firstDay: CivilDay.containing(first) - 9)
    for instant in stride(from: first - 4 * 86_400, to: last + 4 * 86_400, by: step) {
      watch.look(at: instant, for: step)
    }
    // From change to change, as the controller goes.
    var instant = first
    while instant < last {
      let (holds, nextChange) = schedule.standing(at: instant)
      let windows = watch.windows(in: instant..<nextChange)
      #expect(holds ? windows == [instant..<nextChange] : windows.isEmpty, "\(instant)")
      instant = max(nextChange, instant + 1)
    }
    #expect(instant < last + 8 * 86_400)
  }
}

/// Finds windows as somebody does who looks at a clock on the wall again and again, and never thinks ahead.
private struct ClockWatch {
  let schedule: WeeklySchedule
  let firstDay: Int
  /// By the day on which a window starts, from ``firstDay`` on.
  private var starts = [Int](repeating: .max, count: 400)
  private var ends = [Int](repeating: .min, count: 400)

  init(schedule: WeeklySchedule, firstDay: Int) {
    self.schedule = schedule
    self.firstDay = firstDay
  }

  mutating func look(at instant: Int, for step: Int) {
    let shown = instant + schedule.zone.offset(at: instant)
    let today = CivilDay.containing(shown)
    for day in today - 1...today {
      let start = day * 86_400 + schedule.start * 60
      let end = day * 86_400 + (schedule.end > schedule.start ? schedule.end : schedule.end + 1440) * 60
      if shown >= start { starts[day - firstDay] = min(starts[day - firstDay], instant) }
      // What shows an earlier time than the end lasts for a step; the end itself is the first moment that is out.
      if shown <= end { ends[day - firstDay] = shown == end ? instant : instant + step }
    }
  }

  /// What the windows have of a range of instants.
  func windows(in range: Range<Int>) -> [Range<Int>] {
    (0..<starts.count).compactMap { index in
      guard schedule.weekdays.contains(CivilDay.weekday(of: firstDay + index)), starts[index] < ends[index] else {
        return nil
      }
      let part = (starts[index]..<ends[index]).clamped(to: range)
      return part.isEmpty ? nil : part
    }
  }
}
