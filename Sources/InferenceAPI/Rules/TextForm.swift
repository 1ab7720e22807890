/// The forms of text that rules ask for, each the Swift side of a regular expression in the schema.
enum TextForm {
  /// `^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
  static func isDNSName(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, let last = bytes.last, isLowerOrDigit(first), isLowerOrDigit(last) else {
      return false
    }
    return bytes.allSatisfy { isLowerOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
  }

  /// `^[a-z]([-a-z0-9]*[a-z0-9])?$`
  static func isServiceName(_ text: String) -> Bool {
    guard let first = text.utf8.first, isLower(first), isDNSName(text) else { return false }
    return !text.utf8.contains(UInt8(ascii: "."))
  }

  /// `^https?://[^/ ]+`
  static func isURL(_ text: String) -> Bool {
    for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
      guard let first = text.utf8.dropFirst(scheme.utf8.count).first else { return false }
      return first != UInt8(ascii: "/") && first != UInt8(ascii: " ")
    }
    return false
  }

  /// `^([01][0-9]|2[0-3]):[0-5][0-9]$`
  static func isTimeOfDay(_ text: String) -> Bool {
    guard let minutes = minutesOfDay(text) else { return false }
    return minutes < 24 * 60
  }

  /// Minutes since midnight of `HH:MM`, up to 24:00.
  static func minutesOfDay(_ text: String) -> Int? {
    let bytes = Array(text.utf8)
    guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
    guard [0, 1, 3, 4].allSatisfy({ isDigit(bytes[$0]) }) else { return nil }
    let hour = Int(bytes[0] - 0x30) * 10 + Int(bytes[1] - 0x30)
    let minute = Int(bytes[3] - 0x30) * 10 + Int(bytes[4] - 0x30)
    return minute < 60 && hour * 60 + minute <= 24 * 60 ? hour * 60 + minute : nil
  }

  /// `^[A-Za-z]+([/_+-][A-Za-z0-9]+)*$`
  static func isTimeZone(_ text: String) -> Bool {
    let separators = Array("/_+-".utf8)
    let parts = text.utf8.split(omittingEmptySubsequences: false) { separators.contains($0) }
    guard let area = parts.first, area.allSatisfy(isLetter) else { return false }
    return parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { isLetter($0) || isDigit($0) } }
  }

  static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool { isLower(byte | 0x20) }
  private static func isLowerOrDigit(_ byte: UInt8) -> Bool { isLower(byte) || isDigit(byte) }
}
