extension Duration {
  /// The duration as seconds.
  public var seconds: Double { approximateAttoseconds / 1e18 }

  /// The duration as milliseconds.
  public var milliseconds: Double { approximateAttoseconds / 1e15 }

  /// Exact below 2^53 attoseconds, and as near as a Double comes above. Put together from two halves: the library's own
  /// conversion of 128 bits is generic, and this is on the data path.
  private var approximateAttoseconds: Double {
    let high = Int64(truncatingIfNeeded: attoseconds >> 64)
    let low = UInt64(truncatingIfNeeded: attoseconds)
    return Double(high) * 0x1p64 + Double(low)
  }
}
