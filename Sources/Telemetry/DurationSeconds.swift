extension Duration {
  /// The whole duration in seconds, with its fraction.
  public var seconds: Double {
    let (whole, attoseconds) = components
    return Double(whole) + Double(attoseconds) * 1e-18
  }

  /// The whole duration in milliseconds, with its fraction.
  public var milliseconds: Double { seconds * 1000 }
}
