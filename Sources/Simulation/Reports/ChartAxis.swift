/// A scale from values to pixels with round marks.
struct ChartAxis {
  /// A mark: its place and what it says.
  struct Mark {
    var position: Double
    var text: String
  }
  private let low: Double
  private let high: Double
  /// Pixels of `low` and `high`.
  private let from: Double
  private let to: Double
  private let isLogarithmic: Bool
  let marks: [Mark]

  /// - Parameters:
  ///   - low, high: what must be on it.
  ///   - from, to: pixels of its ends.
  init(
    from low: Double, to high: Double, pixels from: Double, _ to: Double, marks count: Int = 5,
    isLogarithmic: Bool = false, text: (Double) -> String = ChartAxis.plainText
  ) {
    self.isLogarithmic = isLogarithmic && low > 0
    self.from = from
    self.to = to
    if self.isLogarithmic {
      (self.low, self.high) = (low / 1.3, high * 1.5)
    } else {
      self.low = low
      self.high = high > low ? high : low + 1
    }
    let (start, end, isLog) = (self.low, self.high, self.isLogarithmic)
    let values = isLog ? Self.decades(start, end) : Self.steps(start, end, count)
    marks = values.map { value in
      Mark(position: Self.pixel(value, start, end, from, to, isLog), text: text(value))
    }
  }

  func pixel(_ value: Double) -> Double { Self.pixel(value, low, high, from, to, isLogarithmic) }

  private static func pixel(
    _ value: Double, _ low: Double, _ high: Double, _ from: Double, _ to: Double, _ isLogarithmic: Bool
  ) -> Double {
    let share =
      isLogarithmic
      ? (logarithm(value) - logarithm(low)) / (logarithm(high) - logarithm(low)) : (value - low) / (high - low)
    return from + (to - from) * min(1, max(0, share))
  }

  /// Multiples of 1, 2 or 5 times a power of ten.
  static func steps(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
    let raw = (high - low) / Double(max(1, count))
    guard raw > 0, raw.isFinite else { return [low] }
    var unit = 1.0
    while unit * 10 <= raw { unit *= 10 }
    while unit > raw { unit /= 10 }
    let step = [1, 2, 5, 10].map { $0 * unit }.first { $0 >= raw } ?? raw
    let first = Int((low / step).rounded(.up))
    let last = Int((high / step + 1e-9).rounded(.down))
    return first <= last ? (first...last).map { Double($0) * step } : [low]
  }

  /// 1, 2 and 5 of each power of ten within the range.
  private static func decades(_ low: Double, _ high: Double) -> [Double] {
    var unit = 1.0
    while unit > low { unit /= 10 }
    while unit * 10 <= low { unit *= 10 }
    var values: [Double] = []
    while unit <= high {
      values += [1, 2, 5].map { $0 * unit }.filter { $0 >= low && $0 <= high }
      unit *= 10
    }
    return values
  }

  static func plainText(_ value: Double) -> String {
    if value == 0 { return "0" }
    if value >= 1000 { return grouped(value) }
    return value >= 10 ? value.fixedText(places: 0) : trimmed(value.fixedText(places: value >= 1 ? 1 : 3))
  }

  /// A natural logarithm without a math library: by the exponent and an atanh series of the significand.
  static func logarithm(_ value: Double) -> Double {
    guard value > 0 else { return -700 }
    let ratio = (value.significand - 1) / (value.significand + 1)
    var (sum, power) = (0.0, ratio)
    for term in 0..<24 {
      sum += power / Double(2 * term + 1)
      power *= ratio * ratio
    }
    return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
  }

  private static func grouped(_ value: Double) -> String {
    let digits = Array(value.fixedText(places: 0))
    return digits.enumerated().map { index, digit in
      index > 0 && (digits.count - index) % 3 == 0 ? ",\(digit)" : String(digit)
    }.joined()
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = text
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }
}
