/// An amount of money or a price, exact to a millionth: `^[0-9]{1,9}([.][0-9]{1,6})?$`.
public struct Price: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Millionths of the currency's unit.
  public let micros: Int64

  public init(micros: Int64) { self.micros = micros }

  /// Nil for anything but a plain decimal such as `2.99`.
  public init?(parsing text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, (1...9).contains(whole.count), whole.allSatisfy(TextForm.isDigit) else { return nil }
    let fraction = parts.count > 1 ? Array(parts[1]) : [UInt8(ascii: "0")]
    guard (1...6).contains(fraction.count), fraction.allSatisfy(TextForm.isDigit) else { return nil }
    let digits = Array(whole) + fraction + Array(repeating: UInt8(ascii: "0"), count: 6 - fraction.count)
    micros = digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
  }

  public var doubleValue: Double { Double(micros) / 1_000_000 }

  /// Without trailing zeros: `2.99`, `3`.
  public var description: String {
    let (whole, rest) = micros.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
    var digits = String(rest)
    digits = String(repeating: "0", count: 6 - digits.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return (micros < 0 ? "-" : "") + (digits.isEmpty ? "\(whole)" : "\(whole).\(digits)")
  }

  public static func < (left: Price, right: Price) -> Bool { left.micros < right.micros }
}
