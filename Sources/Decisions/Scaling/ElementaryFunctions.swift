/// The exponential function and the natural logarithm. Written out, because a decision must come out the same on every
/// machine, and the C library's last digit differs between them. Both are exact to a few units in the last place.
enum ElementaryFunctions {
  private static let ln2High = 0.693147180369123816490
  private static let ln2Low = 1.90821492927058770002e-10

  /// e to the power of `x`.
  static func exponential(_ x: Double) -> Double {
    if x < -700 { return 0 }
    if x > 700 { return .greatestFiniteMagnitude }
    // x = k ln 2 + r with |r| at most ln 2 / 2; fdlibm's two parts of ln 2 keep r exact.
    let k = (x / 0.6931471805599453).rounded()
    let r = (x - k * ln2High) - k * ln2Low
    var term = 1.0
    var sum = 1.0
    for n in 1...14 {
      term *= r / Double(n)
      sum += term
    }
    return Double(sign: .plus, exponent: Int(k), significand: sum)
  }

  /// The natural logarithm of `x`, which is above 0.
  static func logarithm(_ x: Double) -> Double {
    guard x > 0, x.isFinite else { return x > 0 ? .greatestFiniteMagnitude : -.greatestFiniteMagnitude }
    var (exponent, mantissa) = (Int(x.exponent), x.significand)
    if mantissa > 1.4142135623730951 {
      mantissa /= 2
      exponent += 1
    }
    // ln m = 2 artanh((m - 1) / (m + 1)), a series in a number of at most 0.172.
    let s = (mantissa - 1) / (mantissa + 1)
    var power = s
    var sum = 0.0
    for n in stride(from: 1, through: 23, by: 2) {
      sum += power / Double(n)
      power *= s * s
    }
    return 2 * sum + Double(exponent) * ln2Low + Double(exponent) * ln2High
  }
}
