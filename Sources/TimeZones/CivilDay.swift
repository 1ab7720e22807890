/// Days of the Gregorian calendar as their distance from 1970-01-01.
///
/// After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
public enum CivilDay {
  /// The day of a date; `day` may lie outside of its month.
  public static func number(year: Int, month: Int, day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = floorDivide(shifted, 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The year in which a day lies.
  static func year(of day: Int) -> Int {
    let shifted = day + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    // Years begin in March here: its day 306 is the first of January.
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    return yearOfEra + era * 400 + (dayOfYear >= 306 ? 1 : 0)
  }

  /// 0 for Sunday to 6 for Saturday.
  public static func weekday(of day: Int) -> Int { day + 4 - 7 * floorDivide(day + 4, 7) }

  /// The day in which a moment lies, both in seconds since 1970 on one clock.
  public static func containing(_ seconds: Int) -> Int { floorDivide(seconds, 86_400) }

  static func isLeap(year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  private static func floorDivide(_ dividend: Int, _ divisor: Int) -> Int {
    dividend >= 0 ? dividend / divisor : -((-dividend + divisor - 1) / divisor)
  }
}
