extension Duration {
  /// Whole nanoseconds, as the loop reckons; what is out of range is the nearest end of it.
  public var inNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    // A quarter of the range, so that adding it to a clock does not overflow either.
    guard !overflows, abs(product) < Int64.max / 4 else { return seconds < 0 ? -(Int64.max / 4) : Int64.max / 4 }
    return product + attoseconds / 1_000_000_000
  }
}
