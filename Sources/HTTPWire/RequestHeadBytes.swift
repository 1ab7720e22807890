/// A request head on its way out, with the framing of the body that follows it.
public struct RequestHeadBytes: Sendable {
  /// The whole head, framing fields and empty line included.
  public let octets: [UInt8]
  /// How the sender must delimit the body.
  public let framing: BodyFraming
  /// Whether the method is HEAD, whose response has no body.
  public let isHead: Bool

  /// - Parameters:
  ///   - target: origin-form as it goes on the wire, for example `/v1/models?a=1`; a control character or blank in it is
  ///     sent percent-encoded, so that no target can end its line.
  ///   - fields: everything but the framing fields, Host included.
  ///   - framing: `.none` sends neither length nor coding; `.length` and `.chunked` send theirs.
  public init(method: String, target: String, fields: FieldBlock, framing: BodyFraming = .none) {
    var target = target
    self = target.withUTF8 { bytes in
      RequestHeadBytes(method: method, target: UnsafeRawBufferPointer(bytes), fields: fields, framing: framing)
    }
  }

  /// The same from raw bytes of a target.
  public init(method: String, target: UnsafeRawBufferPointer, fields: FieldBlock, framing: BodyFraming = .none) {
    var octets: [UInt8] = []
    octets.reserveCapacity(method.utf8.count + target.count + fields.octets.count + 64)
    for octet in method.utf8 where octet.isToken { octets.append(octet) }
    octets.append(0x20)
    for octet in target { octets.appendTargetOctet(octet) }
    octets.append(contentsOf: " HTTP/1.1\r\n".utf8)
    octets.append(contentsOf: fields.octets)
    switch framing {
    case .none: break
    case .length(let length): octets.appendFieldLine("Content-Length", String(length))
    case .chunked, .untilClose: octets.appendFieldLine("Transfer-Encoding", "chunked")
    }
    octets.append(0x0d)
    octets.append(0x0a)
    self.octets = octets
    self.framing = framing == .untilClose ? .chunked : framing
    self.isHead = method == "HEAD"
  }
}

extension [UInt8] {
  fileprivate mutating func appendTargetOctet(_ octet: UInt8) {
    if octet.isTarget {
      append(octet)
      return
    }
    let digits = Array("0123456789ABCDEF".utf8)
    append(0x25)
    append(digits[Int(octet >> 4)])
    append(digits[Int(octet & 15)])
  }
}
