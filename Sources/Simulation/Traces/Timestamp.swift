/// Moments as data sets write them: `2023-11-16 18:17:03.9799600`, with `T` or a blank, and `Z`, `+00:00` or nothing behind.
enum Timestamp {
  /// Microseconds since 1970, cut off; nil: it is none, or before 1970.
  static func microseconds(_ text: LineBytes) -> Int64? {
    guard text.count >= 19, text.count <= 40, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
      text[10] == 0x20 || text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
      let century = pair(text, 0), let year = pair(text, 2), let month = pair(text, 5), let day = pair(text, 8),
      let hour = pair(text, 11), let minute = pair(text, 14), let second = pair(text, 17),
      1...12 ~= month, 1...daysInMonth(month, century * 100 + year) ~= day, hour < 24, minute < 60, second < 60
    else { return nil }
    var index = 19
    var fraction: Int64 = 0
    if index < text.count, text[index] == UInt8(ascii: ".") {
      var unit: Int64 = 100_000
      index += 1
      guard index < text.count, text[index].digit <= 9 else { return nil }
      while index < text.count, text[index].digit <= 9 {
        fraction += Int64(text[index].digit) * unit
        unit /= 10
        index += 1
      }
    }
    guard let offset = offset(text.part(index, text.count)) else { return nil }
    let days = daysSince1970(year: century * 100 + year, month: month, day: day)
    let seconds = Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second) - offset
    return seconds < 0 ? nil : seconds * 1_000_000 + fraction
  }

  /// Seconds east of UTC.
  private static func offset(_ text: LineBytes) -> Int64? {
    if text.isEmpty || text.equals("Z") { return 0 }
    guard text.count == 6, text[3] == UInt8(ascii: ":"), let hours = pair(text, 1), let minutes = pair(text, 4),
      hours < 24, minutes < 60
    else { return nil }
    let seconds = Int64(hours * 3600 + minutes * 60)
    switch text[0] {
    case UInt8(ascii: "+"): return seconds
    case UInt8(ascii: "-"): return -seconds
    default: return nil
    }
  }

  private static func pair(_ text: LineBytes, _ index: Int) -> Int? {
    let (tens, ones) = (text[index].digit, text[index + 1].digit)
    return tens <= 9 && ones <= 9 ? Int(tens) * 10 + Int(ones) : nil
  }

  private static func daysInMonth(_ month: Int, _ year: Int) -> Int {
    switch month {
    case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// In the Gregorian calendar; years from March on, so that the leap day is the last one of a year.
  private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let month = (month + 9) % 12
    return year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day - 1 - 719_468
  }
}
