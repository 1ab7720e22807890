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

  /// Appends the fields of a received message that travel on: all but hop-by-hop fields, those that Connection names
  /// (RFC 9110, 7.6.1), framing fields, and those that `drop` picks by their known meaning or name.
  public mutating func appendForwardable(
    _ headers: HTTPHeaders, dropping drop: (UnsafeRawBufferPointer, KnownField) -> Bool = { _, _ in false }
  ) {
    let named = headers.connectionOptions()
    headers.octets.withUnsafeBytes { bytes in
      for line in headers.lines {
        if line.field.isHopByHop || line.field.isFraming { continue }
        let name = UnsafeRawBufferPointer(rebasing: bytes[line.name])
        // A Connection field cannot make a proxy lose the fields that routing and safety rest on.
        if !named.isEmpty, line.field == .other, named.contains(where: { name.equalsIgnoringCase($0) }) { continue }
        if drop(name, line.field) { continue }
        octets.append(contentsOf: name)
        octets.append(contentsOf: [0x3a, 0x20])
        octets.append(contentsOf: bytes[line.value])
        octets.append(contentsOf: [0x0d, 0x0a])
      }
    }
  }
}

extension HTTPHeaders {
  /// The options of all Connection lines, lowercased.
  func connectionOptions() -> [[UInt8]] {
    var options: [[UInt8]] = []
    let span = octets.span
    for line in lines where line.field == .connection {
      var rest = line.value
      while let option = span.nextListElement(&rest) {
        if span.matches(option, "close") || span.matches(option, "keep-alive") { continue }
        options.append(span.copy(option).map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 })
      }
    }
    return options
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
