/// The time of an answer, as `Date` has it (IMF-fixdate, RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
public enum HTTPDate {
  /// Octets of it, always.
  public static let length = 29

  /// - Parameter unix: seconds since 1970, not negative.
  public static func octets(unix: Int) -> [UInt8] {
    let (days, second) = max(0, unix).quotientAndRemainder(dividingBy: 86_400)
    let (year, month, day) = civil(days)
    var octets: [UInt8] = []
    octets.reserveCapacity(length)
    // 1970 began on a Thursday.
    append(weekdays, days % 7, to: &octets)
    octets += ", ".utf8
    append(day, digits: 2, to: &octets)
    octets.append(UInt8(ascii: " "))
    append(months, month - 1, to: &octets)
    octets.append(UInt8(ascii: " "))
    append(year, digits: 4, to: &octets)
    octets.append(UInt8(ascii: " "))
    append(second / 3600, digits: 2, to: &octets)
    octets.append(UInt8(ascii: ":"))
    append(second / 60 % 60, digits: 2, to: &octets)
    octets.append(UInt8(ascii: ":"))
    append(second % 60, digits: 2, to: &octets)
    octets += " GMT".utf8
    return octets
  }

  private static let weekdays: StaticString = "ThuFriSatSunMonTueWed"
  private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

  /// Appends one of names of three letters.
  private static func append(_ names: StaticString, _ index: Int, to octets: inout [UInt8]) {
    names.withUTF8Buffer { octets.append(contentsOf: $0[index * 3..<index * 3 + 3]) }
  }

  private static func append(_ number: Int, digits: Int, to octets: inout [UInt8]) {
    var divisor = digits == 4 ? 1000 : 10
    while divisor > 0 {
      octets.append(UInt8(truncatingIfNeeded: 0x30 + number / divisor % 10))
      divisor /= 10
    }
  }

  /// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
  /// `civil_from_days`).
  private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}
