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
  public func equalsIgnoringCase(_ lowercase: [UInt8]) -> Bool {
    lowercase.withUnsafeBytes { equalsIgnoringCase($0) }
  }

  /// The same with a text that is known when this is compiled.
  public func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
    lowercase.withUTF8Buffer { equalsIgnoringCase(UnsafeRawBufferPointer($0)) }
  }

  /// Whether these bytes begin with `lowercase`, without regard to ASCII case.
  public func startsIgnoringCase(_ lowercase: StaticString) -> Bool {
    let length = lowercase.utf8CodeUnitCount
    guard count >= length else { return false }
    return UnsafeRawBufferPointer(rebasing: self[..<length]).equalsIgnoringCase(lowercase)
  }

  private func equalsIgnoringCase(_ lowercase: UnsafeRawBufferPointer) -> Bool {
    guard count == lowercase.count else { return false }
    for index in 0..<count {
      let octet = self[index]
      guard (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet) == lowercase[index] else { return false }
    }
    return true
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
