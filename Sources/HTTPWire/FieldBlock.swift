/// Field lines ready to be sent.
///
/// Framing fields (Content-Length, Transfer-Encoding, Connection, Keep-Alive) are never taken from a caller: whoever sends
/// the message writes them from the framing it chose, so that the two cannot disagree.
public struct FieldBlock: Sendable {
  public private(set) var octets: [UInt8] = []

  public init() {}

  public init(_ fields: [(String, String)]) {
    for (name, value) in fields { append(name, value) }
  }

  /// Appends one field line. Framing fields are left out; a control character in the value becomes a space, so that no
  /// value can end its line; a name that is not a token is left out.
  public mutating func append(_ name: String, _ value: String) {
    guard !KnownField(name: name).isFraming else { return }
    octets.appendFieldLine(name, value)
  }
}

extension UnsafeRawBufferPointer {
  /// Whether these bytes equal `lowercase` without regard to ASCII case.
  public func equalsIgnoringCase(_ lowercase: some Collection<UInt8>) -> Bool {
    guard count == lowercase.count else { return false }
    return zip(self, lowercase).allSatisfy { ($0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0) == $1 }
  }
}

extension [UInt8] {
  mutating func appendFieldLine(_ name: String, _ value: String) {
    guard !name.isEmpty, name.utf8.allSatisfy(\.isToken) else { return }
    append(contentsOf: name.utf8)
    append(0x3a)
    append(0x20)
    for octet in value.utf8 { append(octet.isFieldContent ? octet : 0x20) }
    append(0x0d)
    append(0x0a)
  }
}
