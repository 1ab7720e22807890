import KubernetesAPI

/// Resource quantities in their normal form (k8s.io/apimachinery/pkg/api/resource): `1000m` is `1`, `1024Mi` is `1Gi`, 0.5 is `500m`.
enum Quantity {
  static let message =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

  private static let decimalSuffixes = [
    "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
  ]
  private static let binarySuffixes = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]

  /// The canonical text of a number or text; nil when it is no quantity.
  static func canonical(_ value: JSONValue) -> String? {
    switch value {
    case .integer(let number): canonical(String(number))
    case .double(let number): canonical("\(number)")
    case .string(let text): canonical(text)
    default: nil
    }
  }

  static func canonical(_ text: String) -> String? {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    let whole = rest.prefix { $0.isASCII && $0.isNumber }
    rest = rest[whole.endIndex...]
    var fraction: Substring = ""
    if rest.first == "." {
      fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
      rest = rest[fraction.endIndex...]
    }
    guard !whole.isEmpty || !fraction.isEmpty, var mantissa = Int(whole + fraction) else { return nil }
    var exponent = -fraction.count
    // Trailing zeros of the fraction carry nothing.
    while exponent < 0, mantissa % 10 == 0 {
      mantissa /= 10
      exponent += 1
    }
    let sign = isNegative && mantissa != 0 ? "-" : ""
    if let index = binarySuffixes.firstIndex(of: String(rest)) {
      return binary(mantissa, exponent: exponent, power: index + 1).map { sign + $0 }
    }
    if let shift = decimalSuffixes[String(rest)] { return sign + decimal(mantissa, exponent: exponent + shift) }
    guard rest.first == "e" || rest.first == "E", let power = Int(rest.dropFirst()) else { return nil }
    return sign + scientific(mantissa, exponent: exponent + power)
  }

  private static func decimal(_ mantissa: Int, exponent: Int) -> String {
    let (digits, power) = aligned(mantissa, exponent)
    let suffix = decimalSuffixes.first { $0.value == power }?.key ?? "E"
    return "\(digits)\(suffix)"
  }

  private static func scientific(_ mantissa: Int, exponent: Int) -> String {
    let (digits, power) = aligned(mantissa, exponent)
    return power == 0 ? "\(digits)" : "\(digits)e\(power)"
  }

  /// Digits and a power of ten that is a multiple of three, as large as loses nothing; below nano it is rounded up.
  private static func aligned(_ mantissa: Int, _ exponent: Int) -> (Int, Int) {
    if mantissa == 0 { return (0, 0) }
    var (digits, power) = (mantissa, exponent)
    while power < -9 {
      digits = (digits + 9) / 10
      power += 1
    }
    while digits % 10 == 0 {
      digits /= 10
      power += 1
    }
    while power % 3 != 0 || power > 18 {
      let (product, overflow) = digits.multipliedReportingOverflow(by: 10)
      if overflow { break }
      digits = product
      power -= 1
    }
    return (digits, power)
  }

  /// Whole bytes with the largest binary suffix that loses nothing. Nil beyond 64 bits.
  private static func binary(_ mantissa: Int, exponent: Int, power: Int) -> String? {
    var bytes = mantissa
    for _ in 0..<power {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: 1024)
      if overflow { return nil }
      bytes = product
    }
    for _ in 0..<(-exponent) { bytes = (bytes + 9) / 10 }
    if bytes == 0 { return "0" }
    var suffix = -1
    while bytes % 1024 == 0, suffix < binarySuffixes.count - 1 {
      bytes /= 1024
      suffix += 1
    }
    return suffix < 0 ? "\(bytes)" : "\(bytes)\(binarySuffixes[suffix])"
  }
}
