/// Writes numbers one after another, little-endian: what is kept through restarts is small and has a fixed form.
struct PackedWriter {
  private(set) var bytes: [UInt8] = []

  mutating func put<Integer: FixedWidthInteger & UnsignedInteger>(_ value: Integer) {
    for shift in stride(from: 0, to: Integer.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> Integer(shift)))
    }
  }

  mutating func put(_ value: Double) { put(value.bitPattern) }

  /// In 4 bytes: seven digits.
  mutating func put(single value: Double) { put(Float(value).bitPattern) }
}

/// Reads what ``PackedWriter`` wrote. Every call answers nil past the end; numbers that are not finite are none.
struct PackedReader {
  private let bytes: [UInt8]
  private var next = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { next == bytes.count }

  mutating func integer<Integer: FixedWidthInteger & UnsignedInteger>(_ type: Integer.Type) -> Integer? {
    let size = Integer.bitWidth / 8
    guard bytes.count - next >= size else { return nil }
    defer { next += size }
    return (0..<size).reduce(0) { $0 | Integer(bytes[next + $1]) << Integer(8 * $1) }
  }

  mutating func double() -> Double? {
    integer(UInt64.self).map(Double.init(bitPattern:)).flatMap { $0.isFinite ? $0 : nil }
  }

  mutating func single() -> Double? {
    integer(UInt32.self).map { Double(Float(bitPattern: $0)) }.flatMap { $0.isFinite ? $0 : nil }
  }

  /// So many numbers of 4 bytes, none below `least`; nil: there are fewer, or one is.
  mutating func singles(_ count: Int, least: Double = -.greatestFiniteMagnitude) -> [Double]? {
    var list: [Double] = []
    for _ in 0..<count {
      guard let value = single(), value >= least else { return nil }
      list.append(value)
    }
    return list
  }
}

/// Why what was kept cannot be used.
public struct UnreadableIdleMemory: Error, Hashable, Sendable, CustomStringConvertible {
  public var description: String
  init(_ description: String) { self.description = description }
}
