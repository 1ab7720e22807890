import EventLoop
import HTTPWire

/// The head of a request as a replica gets it: hop-by-hop fields off, the traces of this hop on.
enum ForwardedRequestHead {
  /// What is sent as the target.
  enum Target {
    /// The received one from this offset on.
    case received(from: Int)
    case text(String)
  }

  /// What of the caller's head is not passed on as it came.
  struct Changes {
    /// Authority of an absolute-form target, which outranks `Host`.
    var authority: String?
    /// The value of `Host` where the caller, of HTTP/1.0, has sent none: HTTP/1.1 asks for one (RFC 9112, 3.2).
    var hostIfNone: String?
    /// What is left of `Max-Forwards` behind this hop, where it counts hops.
    var maxForwards: Int?
    /// The answer becomes part of a stream that has begun in plain text.
    var asksForNoCoding = false
    /// The replica is asked to switch protocols, as the caller asked.
    var switchesToWebSocket = false
  }

  /// Appends everything up to the framing fields. `Expect` is answered here.
  ///
  /// - Parameters:
  ///   - head: from the first byte of the start line to the end of the empty line.
  static func append(
    _ layout: RequestHeadLayout, _ head: UnsafeRawBufferPointer, target: Target, _ changes: Changes,
    peer: PeerText, isSecure: Bool, to output: inout [UInt8]
  ) {
    output.append(contentsOf: UnsafeRawBufferPointer(rebasing: head[layout.method]))
    output.append(UInt8(ascii: " "))
    switch target {
    case .received(let offset):
      let range = layout.target.lowerBound + offset..<layout.target.upperBound
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: head[range]))
    case .text(let text): output.append(contentsOf: text.utf8)
    }
    output.append(" HTTP/1.1\r\n")
    let lines = layout.lines
    var host: UnsafeRawBufferPointer?
    var said = Said()
    for line in lines {
      switch line.field {
      case .host: host = UnsafeRawBufferPointer(rebasing: head[line.value])
      case .forwardedFor: said.insert(.forwardedFor)
      case .forwarded: said.insert(.forwarded)
      case .forwardedHost: said.insert(.forwardedHost)
      case .forwardedProto: said.insert(.forwardedProto)
      case .via: said.insert(.via)
      default: break
      }
    }
    FieldForwarding.append(lines, of: head, namesFields: layout.namesFields, to: &output) { field in
      switch field {
      case .expect, .via, .forwarded, .forwardedFor, .pilotlight: true
      case .host: changes.authority != nil
      case .maxForwards: changes.maxForwards != nil
      case .acceptEncoding: changes.asksForNoCoding
      default: false
      }
    }
    if let hops = changes.maxForwards {
      output.append("Max-Forwards: ")
      output.append(decimal: hops)
      output.append("\r\n")
    }
    if var authority = changes.authority {
      authority.withUTF8 { bytes in
        appendHost(bytes, to: &output)
        appendTraces(lines, head, UnsafeRawBufferPointer(bytes), said, peer, isSecure, to: &output)
      }
    } else {
      // Not in the traces: the caller has not said it.
      if host == nil, var name = changes.hostIfNone { name.withUTF8 { appendHost($0, to: &output) } }
      appendTraces(lines, head, host, said, peer, isSecure, to: &output)
    }
    if changes.switchesToWebSocket { output.append("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
  }

  private static func appendHost(_ name: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
    output.append("Host: ")
    output.append(contentsOf: name)
    output.append("\r\n")
  }

  private struct Said: OptionSet {
    var rawValue: UInt8
    static let forwardedFor = Said(rawValue: 1)
    static let forwarded = Said(rawValue: 2)
    static let forwardedHost = Said(rawValue: 4)
    static let forwardedProto = Said(rawValue: 8)
    static let via = Said(rawValue: 16)
  }

  private static func appendTraces(
    _ lines: [HTTPHeaders.Line], _ head: UnsafeRawBufferPointer, _ host: UnsafeRawBufferPointer?, _ said: Said,
    _ peer: PeerText, _ isSecure: Bool, to output: inout [UInt8]
  ) {
    output.append("X-Forwarded-For: ")
    if said.contains(.forwardedFor) { appendValues(of: .forwardedFor, lines, head, to: &output) }
    output.append(contentsOf: peer.address)
    // What an ingress in front of us has said holds: it saw the caller.
    if !said.contains(.forwardedProto) {
      output.append(isSecure ? "\r\nX-Forwarded-Proto: https" : "\r\nX-Forwarded-Proto: http")
    }
    if let host, !said.contains(.forwardedHost) {
      output.append("\r\nX-Forwarded-Host: ")
      output.append(contentsOf: host)
    }
    // RFC 7239, 4. A host holds neither quote nor backslash, so that it cannot end its quoted string.
    output.append("\r\nForwarded: ")
    if said.contains(.forwarded) { appendValues(of: .forwarded, lines, head, to: &output) }
    output.append("for=")
    output.append(contentsOf: peer.forwardedNode)
    if let host {
      output.append(";host=\"")
      output.append(contentsOf: host)
      output.append("\"")
    }
    output.append(isSecure ? ";proto=https\r\nVia: " : ";proto=http\r\nVia: ")
    if said.contains(.via) { appendValues(of: .via, lines, head, to: &output) }
    output.append("1.1 pilotlight\r\n")
  }

  /// The values of all lines of a list field, each with the comma that leads to the next. A value whose quoted string or
  /// comment does not end would swallow what is added here, and is left out.
  private static func appendValues(
    of field: KnownField, _ lines: [HTTPHeaders.Line], _ head: UnsafeRawBufferPointer, to output: inout [UInt8]
  ) {
    for line in lines where line.field == field && !line.value.isEmpty {
      guard field == .forwardedFor || DelimitedValue.ends(UnsafeRawBufferPointer(rebasing: head[line.value])) else {
        continue
      }
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: head[line.value]))
      output.append(", ")
    }
  }

  /// Ends a head with the framing of the body that follows.
  static func finish(_ framing: BodyFraming, to output: inout [UInt8]) {
    switch framing {
    case .none: break
    case .length(let length):
      output.append("Content-Length: ")
      output.append(decimal: length)
      output.append("\r\n")
    case .chunked, .untilClose: output.append("Transfer-Encoding: chunked\r\n")
    }
    output.append("\r\n")
  }
}

/// A client's address as it stands in fields.
struct PeerText {
  let address: [UInt8]
  /// As a node of `Forwarded`: an IPv6 address is quoted (RFC 7239, 6).
  let forwardedNode: [UInt8]

  init(_ peer: SocketAddress) {
    let host = peer.host
    address = Array(host.utf8)
    forwardedNode = host.utf8.contains(UInt8(ascii: ":")) ? Array("\"[\(host)]\"".utf8) : address
  }
}

extension [UInt8] {
  /// Appends text that is known when this is compiled.
  @inline(__always) mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { append(contentsOf: $0) }
  }

  /// Appends a number that is not negative, in decimal.
  mutating func append(decimal number: Int) {
    var divisor = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(UInt8(truncatingIfNeeded: 0x30 + number / divisor % 10))
      divisor /= 10
    }
  }
}
