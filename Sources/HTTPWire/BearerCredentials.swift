/// The `Authorization` field of a client that shows a token (RFC 6750, 2.1).
public enum BearerCredentials {
  /// The token; nil for another scheme, and for what is no token.
  public static func token(in field: String) -> String? {
    let bytes = field.utf8
    guard bytes.count > 7, field.prefix(7).lowercased() == "bearer " else { return nil }
    let token = bytes.dropFirst(7).drop { $0 == UInt8(ascii: " ") }
    guard !token.isEmpty, token.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    return String(Substring(token))
  }
}
