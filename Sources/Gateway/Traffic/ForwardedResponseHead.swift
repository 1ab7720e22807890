import HTTPWire

/// The head of a replica's answer as the caller gets it: hop-by-hop fields off, how it was served on.
enum ForwardedResponseHead {
  /// Appends the whole head.
  ///
  /// - Parameters:
  ///   - head: from the first byte of the status line to the end of the empty line.
  ///   - date: the time now, as ``HTTPDate`` writes it, for an answer that tells none (RFC 9110, 6.6.1).
  ///   - framing: as the caller's connection is told it; `.none` and `.untilClose` say nothing.
  ///   - closes: announces that the connection ends with this answer.
  static func append(
    _ layout: ResponseHeadLayout, _ head: UnsafeRawBufferPointer, record: RequestRecord, date: [UInt8],
    framing: BodyFraming, closes: Bool, announcesKeepAlive: Bool, to output: inout [UInt8]
  ) {
    appendStart(layout, head, to: &output)
    FieldForwarding.append(layout.lines, of: head, namesFields: layout.namesFields, to: &output) { $0 == .pilotlight }
    record.appendFields(to: &output)
    output.append("Via: 1.1 pilotlight\r\n")
    if !layout.lines.contains(where: { $0.field == .date }) {
      output.append("Date: ")
      output.append(contentsOf: date)
      output.append("\r\n")
    }
    switch framing {
    case .none, .untilClose: break
    case .length(let length):
      output.append("Content-Length: ")
      output.append(decimal: length)
      output.append("\r\n")
    case .chunked: output.append("Transfer-Encoding: chunked\r\n")
    }
    if closes {
      output.append("Connection: close\r\n")
    } else if announcesKeepAlive {
      output.append("Connection: keep-alive\r\n")
    }
    output.append("\r\n")
  }

  /// Appends an interim answer (RFC 9110, 15.2), such as 103 (Early Hints).
  static func appendInterim(
    _ layout: ResponseHeadLayout, _ head: UnsafeRawBufferPointer, to output: inout [UInt8]
  ) {
    appendStart(layout, head, to: &output)
    FieldForwarding.append(layout.lines, of: head, namesFields: layout.namesFields, to: &output) { $0 == .pilotlight }
    output.append("\r\n")
  }

  /// Appends the answer that ends HTTP on the connection (101): what follows belongs to the protocol it names.
  static func appendSwitch(
    _ layout: ResponseHeadLayout, _ head: UnsafeRawBufferPointer, record: RequestRecord,
    to output: inout [UInt8]
  ) {
    appendStart(layout, head, to: &output)
    FieldForwarding.append(layout.lines, of: head, namesFields: layout.namesFields, to: &output) { $0 == .pilotlight }
    record.appendFields(to: &output)
    output.append("Via: 1.1 pilotlight\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
  }

  private static func appendStart(
    _ layout: ResponseHeadLayout, _ head: UnsafeRawBufferPointer, to output: inout [UInt8]
  ) {
    output.append("HTTP/1.1 ")
    output.append(decimal: layout.status)
    output.append(UInt8(ascii: " "))
    output.append(contentsOf: UnsafeRawBufferPointer(rebasing: head[layout.reason]))
    output.append("\r\n")
  }
}
