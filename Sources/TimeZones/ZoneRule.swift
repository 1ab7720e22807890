/// How a zone goes on after its last recorded transition: the footer of its file, a TZ string of POSIX (RFC 9636, 3.3.1).
struct ZoneRule: Hashable, Sendable {
  /// Seconds that standard time is ahead of UTC.
  var standardOffset: Int
  /// Nil: the same offset all year.
  var daylight: Daylight?

  struct Daylight: Hashable, Sendable {
    var offset: Int
    /// On the clock of standard time.
    var start: YearlyMoment
    /// On the clock of daylight saving time.
    var end: YearlyMoment
  }

  /// A moment on a local clock that comes each year.
  struct YearlyMoment: Hashable, Sendable {
    enum Day: Hashable, Sendable {
      /// `Jn`: 1 to 365; the 29th of February is not counted.
      case withoutLeapDay(Int)
      /// `n`: 0 to 365; the 29th of February is counted.
      case ofYear(Int)
      /// `Mm.w.d`: the w-th such weekday of the month, the last one for 5; 0 is Sunday.
      case ofMonth(Int, week: Int, weekday: Int)
    }

    var day: Day
    /// Seconds after midnight; below 0 and beyond a day are allowed (RFC 9636, 3.3.2).
    var seconds: Int

    /// Seconds from 1970 to the moment of `year`, on its clock.
    func local(inYear year: Int) -> Int {
      let first = CivilDay.number(year: year, month: 1, day: 1)
      switch day {
      case .withoutLeapDay(let number):
        return (first + number - 1 + (CivilDay.isLeap(year: year) && number > 59 ? 1 : 0)) * 86_400 + seconds
      case .ofYear(let number):
        return (first + number) * 86_400 + seconds
      case .ofMonth(let month, let week, let weekday):
        let first = CivilDay.number(year: year, month: month, day: 1)
        let next = month == 12 ? first + 31 : CivilDay.number(year: year, month: month + 1, day: 1)
        var day = first + (weekday - CivilDay.weekday(of: first) + 7) % 7 + (week - 1) * 7
        if day >= next { day -= 7 }
        return day * 86_400 + seconds
      }
    }
  }

  func offset(at instant: Int) -> Int {
    changes(from: instant, to: instant).last { $0.time <= instant }?.offset ?? standardOffset
  }

  /// The changes of offset in a range of instants and those around it, rising; at least one comes before the range.
  func changes(from lower: Int, to upper: Int) -> [(time: Int, offset: Int)] {
    guard let daylight else { return [] }
    // A rule's time of day is up to a week away, so a moment of one year may fall into the next.
    let first = CivilDay.year(of: CivilDay.containing(lower)) - 2
    let last = CivilDay.year(of: CivilDay.containing(upper)) + 1
    var offsets: [Int: Int] = [:]
    for year in first...last {
      offsets[daylight.end.local(inYear: year) - daylight.offset] = standardOffset
    }
    // Where one year's end is the next one's start, daylight saving time goes on.
    for year in first...last {
      offsets[daylight.start.local(inYear: year) - standardOffset] = daylight.offset
    }
    return offsets.sorted { $0.key < $1.key }.map { (time: $0.key, offset: $0.value) }
  }
}
