import FoundationEssentials

/// Times as Kubernetes objects carry them: RFC 3339 in UTC; `metav1.Time` has seconds, `metav1.MicroTime` microseconds.
public enum Timestamp {
  /// `2026-01-02T03:04:05Z`, the fraction dropped.
  public static func seconds(_ date: Date) -> String { text(date, fractionDigits: 0) }

  /// `2026-01-02T03:04:05.000006Z`: Leases and `eventTime`.
  public static func microseconds(_ date: Date) -> String { text(date, fractionDigits: 6) }

  /// Any RFC 3339 time with or without a fraction, in any offset; nil when `text` is none.
  public static func parse(_ text: String) -> Date? {
    var reader = DigitReader(bytes: Array(text.utf8))
    guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
      let day = reader.number(2), reader.skip("T") || reader.skip("t"), let hour = reader.number(2), reader.skip(":"),
      let minute = reader.number(2), reader.skip(":"), let second = reader.number(2),
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    let fraction = reader.skip(".") ? reader.fraction() : 0
    guard let fraction, let offset = reader.offsetSeconds(), reader.isAtEnd else { return nil }
    let days = daysFromCivil(year: year, month: month, day: day)
    let whole = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    return Date(timeIntervalSince1970: Double(whole) + fraction)
  }

  private static func text(_ date: Date, fractionDigits: Int) -> String {
    let scale = fractionDigits == 0 ? 1 : 1_000_000
    // Rounded to the nearest unit below the fraction: doubles hold today's microseconds only to within 0.2 µs.
    let exact = date.timeIntervalSince1970 * Double(scale)
    let units = Int(fractionDigits == 0 ? exact.rounded(.down) : exact.rounded())
    let seconds = floorDivide(units, scale)
    let days = floorDivide(seconds, 86_400)
    let inDay = seconds - days * 86_400
    let (year, month, day) = civilFromDays(days)
    var text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
    text += "\(padded(inDay / 3600, 2)):\(padded(inDay / 60 % 60, 2)):\(padded(inDay % 60, 2))"
    if fractionDigits > 0 { text += ".\(padded(units - seconds * scale, fractionDigits))" }
    return text + "Z"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

private func floorDivide(_ dividend: Int, _ divisor: Int) -> Int {
  dividend >= 0 ? dividend / divisor : -((-dividend + divisor - 1) / divisor)
}

// Days since 1970-01-01 and the Gregorian calendar: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
private func daysFromCivil(year: Int, month: Int, day: Int) -> Int {
  let shifted = month <= 2 ? year - 1 : year
  let era = floorDivide(shifted, 400)
  let yearOfEra = shifted - era * 400
  let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

private func civilFromDays(_ days: Int) -> (year: Int, month: Int, day: Int) {
  let shifted = days + 719_468
  let era = floorDivide(shifted, 146_097)
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthIndex = (5 * dayOfYear + 2) / 153
  let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
}

private struct DigitReader {
  let bytes: [UInt8]
  var index = 0
  var isAtEnd: Bool { index == bytes.count }

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  mutating func number(_ width: Int) -> Int? {
    guard index + width <= bytes.count else { return nil }
    var value = 0
    for byte in bytes[index..<index + width] {
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + Int(byte - 0x30)
    }
    index += width
    return value
  }

  mutating func fraction() -> Double? {
    var value = 0.0
    var unit = 0.1
    let start = index
    while index < bytes.count, (0x30...0x39).contains(bytes[index]) {
      value += Double(bytes[index] - 0x30) * unit
      unit /= 10
      index += 1
    }
    return index > start ? value : nil
  }

  mutating func offsetSeconds() -> Int? {
    if skip("Z") || skip("z") { return 0 }
    let sign = skip("+") ? 1 : -1
    guard sign == 1 || skip("-"), let hours = number(2), skip(":"), let minutes = number(2) else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }
}
