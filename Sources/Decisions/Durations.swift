extension Duration {
  /// The duration in seconds; exact to a microsecond for a century.
  public var inSeconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
