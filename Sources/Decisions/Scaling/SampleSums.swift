/// How many values there were, their sum and the sum of their squares: enough for a mean and a variance, and it adds up over
/// gateways and over time. As JSON an array of three numbers.
public struct SampleSums: Codable, Hashable, Sendable {
  /// Whole where values were counted, any number where old ones weigh less.
  public var count: Double
  public var sum: Double
  public var squares: Double

  public init(count: Double = 0, sum: Double = 0, squares: Double = 0) {
    self.count = count
    self.sum = sum
    self.squares = squares
  }

  public mutating func add(_ value: Double) {
    count += 1
    sum += value
    squares += value * value
  }

  /// Nil: there were none.
  public var mean: Double? { count > 0 ? sum / count : nil }

  /// Variance divided by the square of the mean (the squared coefficient of variation); nil: there were none, or all were 0.
  public var variation: Double? {
    guard count > 0, sum > 0 else { return nil }
    return max(0, squares * count / (sum * sum) - 1)
  }

  /// What makes no sense: a count or sum below zero, or not finite.
  public var isSound: Bool { [count, sum, squares].allSatisfy { $0.isFinite && $0 >= 0 } }

  public static func + (left: SampleSums, right: SampleSums) -> SampleSums {
    SampleSums(count: left.count + right.count, sum: left.sum + right.sum, squares: left.squares + right.squares)
  }

  public static func - (left: SampleSums, right: SampleSums) -> SampleSums {
    SampleSums(count: left.count - right.count, sum: left.sum - right.sum, squares: left.squares - right.squares)
  }

  public static func * (sums: SampleSums, weight: Double) -> SampleSums {
    SampleSums(count: sums.count * weight, sum: sums.sum * weight, squares: sums.squares * weight)
  }

  public init(from decoder: any Decoder) throws {
    var values = try decoder.unkeyedContainer()
    count = try values.decode(Double.self)
    sum = try values.decode(Double.self)
    squares = try values.decode(Double.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.unkeyedContainer()
    for value in [count, sum, squares] { try values.encode(value) }
  }
}
