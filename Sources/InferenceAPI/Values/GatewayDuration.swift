/// Durations as text, by the Gateway API (GEP-2257): `1h30m`, `500ms`; a subset of what Go reads.
public enum GatewayDuration {
  /// Up to four times a number of one to five digits with a unit: `^([0-9]{1,5}(h|m|s|ms)){1,4}$`. Nil: not that form.
  public static func parse(_ text: String) -> Duration? {
    var rest = Array(text.utf8)[...]
    var total = Duration.zero
    var parts = 0
    while !rest.isEmpty {
      let digits = rest.prefix(while: TextForm.isDigit)
      guard (1...5).contains(digits.count), parts < 4 else { return nil }
      let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
      rest = rest.dropFirst(digits.count)
      guard let (unit, length) = unit(at: rest) else { return nil }
      total += unit * number
      rest = rest.dropFirst(length)
      parts += 1
    }
    return parts > 0 ? total : nil
  }

  /// The shortest such text, rounded down to milliseconds: `1h30m`, `0s`. Negative durations have none and read `0s`.
  public static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = max(.zero, duration).components
    let milliseconds = attoseconds / 1_000_000_000_000_000
    let parts: [(Int64, String)] = [
      (seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"), (milliseconds, "ms"),
    ]
    let text = parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
    return text.isEmpty ? "0s" : text
  }

  private static func unit(at bytes: ArraySlice<UInt8>) -> (Duration, Int)? {
    switch bytes.first {
    case UInt8(ascii: "h"): (.seconds(3600), 1)
    case UInt8(ascii: "m"):
      bytes.dropFirst().first == UInt8(ascii: "s") ? (.milliseconds(1), 2) : (.seconds(60), 1)
    case UInt8(ascii: "s"): (.seconds(1), 1)
    default: nil
    }
  }
}
