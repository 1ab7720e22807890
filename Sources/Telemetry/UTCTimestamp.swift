/// Wall time as log lines carry it: RFC 3339 in UTC with milliseconds, `2026-01-02T03:04:05.678Z`.
public enum UTCTimestamp {
  /// Appends `unixSeconds` since 1970; what is outside of the years 1 to 9999 is the nearest of them.
  public static func append(_ unixSeconds: Double, to output: inout [UInt8]) {
    let limited = unixSeconds.isNaN ? 0 : min(max(unixSeconds, -62_135_596_800), 253_402_300_799.999)
    let milliseconds = Int((limited * 1000).rounded(.down))
    let seconds = milliseconds >= 0 ? milliseconds / 1000 : -((999 - milliseconds) / 1000)
    let days = seconds >= 0 ? seconds / 86_400 : -((86_399 - seconds) / 86_400)
    let inDay = seconds - days * 86_400
    let (year, month, day) = civil(days)
    append(year, 4, "-", to: &output)
    append(month, 2, "-", to: &output)
    append(day, 2, "T", to: &output)
    append(inDay / 3600, 2, ":", to: &output)
    append(inDay / 60 % 60, 2, ":", to: &output)
    append(inDay % 60, 2, ".", to: &output)
    append(milliseconds - seconds * 1000, 3, "Z", to: &output)
  }

  private static func append(_ number: Int, _ width: Int, _ separator: Unicode.Scalar, to output: inout [UInt8]) {
    var scale = width == 4 ? 1000 : width == 3 ? 100 : 10
    while scale > 0 {
      output.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / scale % 10))
      scale /= 10
    }
    output.append(UInt8(ascii: separator))
  }

  // Days since 1970-01-01 in the Gregorian calendar: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". The
  // years are positive here, so that division need not round down.
  private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthIndex = (5 * dayOfYear + 2) / 153
    let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
  }
}
