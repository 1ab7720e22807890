import KubernetesAPI

/// A resource quantity in thousandths: `100m`, `1`, `1.5`, `2k`, `1Gi`, `1e3` (k8s.io/apimachinery/pkg/api/resource).
struct Quantity: Hashable, Comparable, Sendable {
  /// Saturates at the largest number, some nine petabytes.
  var thousandths: Int

  init(thousandths: Int) { self.thousandths = thousandths }

  init?(json: JSONValue) {
    switch json {
    case .string(let text): self.init(parsing: text)
    case .integer(let number): self.init(number: Double(number), scale: 1)
    case .double(let number): self.init(number: number, scale: 1)
    default: return nil
    }
  }

  /// Nil when `text` is no quantity.
  init?(parsing text: String) {
    let suffixes: [(String, Double)] = [
      ("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("Ti", 1_099_511_627_776),
      ("Pi", 1_125_899_906_842_624), ("Ei", 1_152_921_504_606_846_976), ("m", 0.001), ("k", 1e3), ("M", 1e6),
      ("G", 1e9), ("T", 1e12), ("P", 1e15), ("E", 1e18), ("n", 1e-9), ("u", 1e-6),
    ]
    let found = suffixes.first { text.hasSuffix($0.0) }
    let digits = text.dropLast(found?.0.count ?? 0)
    guard let first = digits.first, first.isNumber || "+-.".contains(first), let number = Double(digits) else {
      return nil
    }
    self.init(number: number, scale: found?.1 ?? 1)
  }

  private init?(number: Double, scale: Double) {
    let value = (number * scale * 1000).rounded(.up)
    guard value.isFinite else { return nil }
    thousandths = abs(value) >= 9.2e18 ? (value < 0 ? -Int.max : Int.max) : Int(value)
  }

  static func < (left: Quantity, right: Quantity) -> Bool { left.thousandths < right.thousandths }

  static func + (left: Quantity, right: Quantity) -> Quantity {
    let (sum, overflows) = left.thousandths.addingReportingOverflow(right.thousandths)
    return Quantity(thousandths: overflows ? .max : sum)
  }
}
