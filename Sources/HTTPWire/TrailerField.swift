/// Which fields of a trailer section travel on (RFC 9110, 6.5.1): none that its recipient must know before the body, as by
/// then it has acted without it. What this gateway knows by name is framing, routing or authentication, and stays, too.
enum TrailerField {
  /// Whether the field line may be passed on.
  static func travels(_ octets: Span<UInt8>, _ name: Range<Int>) -> Bool {
    guard KnownField(octets, name) == .other else { return false }
    if name.count > 3, octets.matches(name.lowerBound..<name.lowerBound + 3, "if-") { return false }
    return !untimely.contains { octets.matches(name, $0) }
  }

  /// Request modifiers, control data of a response, authentication, and how content is to be read (RFC 9110: 10.1, 12 to
  /// 14, 10.2, 11, 8; RFC 9111, 5; RFC 6265, 4).
  private static let untimely: [StaticString] = [
    "accept", "age", "cache-control", "content-location", "content-range", "cookie", "expires", "location", "pragma",
    "range", "retry-after", "set-cookie", "vary", "warning", "www-authenticate",
  ]
}
