/// Passes the fields of a received message on, as they were received.
///
/// What travels on is copied in runs, byte for byte, so that a message of ordinary fields costs a handful of copies.
public enum FieldForwarding {
  /// Appends the field lines of `head` that travel on: all but hop-by-hop fields (RFC 9110, 7.6.1), those that Connection
  /// names, framing fields, whatever looks like one of these or like a field of this gateway's, and those that `drop` picks.
  ///
  /// - Parameters:
  ///   - lines: as the parser of `head` tells them.
  ///   - head: from the first byte of the start line to the end of the empty line.
  ///   - namesFields: whether Connection names other fields, as the parser tells.
  public static func append(
    _ lines: [HTTPHeaders.Line], of head: UnsafeRawBufferPointer, namesFields: Bool,
    to output: inout [UInt8], dropping drop: (KnownField) -> Bool
  ) {
    let named = namesFields ? connectionOptions(lines, of: head) : []
    var runStart = -1
    for line in lines {
      let stays =
        line.field.isHopByHop || line.field == .contentLength || drop(line.field)
        || (!named.isEmpty && line.field.mayBeNamedByConnection && isNamed(line, in: named, of: head))
      if stays, runStart >= 0 {
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: head[runStart..<line.name.lowerBound]))
        runStart = -1
      } else if !stays, runStart < 0 {
        runStart = line.name.lowerBound
      }
    }
    // The last line ends before the two bytes of the empty one.
    if runStart >= 0 { output.append(contentsOf: UnsafeRawBufferPointer(rebasing: head[runStart..<head.count - 2])) }
  }

  private static func isNamed(_ line: HTTPHeaders.Line, in names: [[UInt8]], of head: UnsafeRawBufferPointer) -> Bool {
    let name = UnsafeRawBufferPointer(rebasing: head[line.name])
    return names.contains { name.equalsIgnoringCase($0) }
  }

  /// The options of all Connection lines, lowercased.
  private static func connectionOptions(_ lines: [HTTPHeaders.Line], of head: UnsafeRawBufferPointer) -> [[UInt8]] {
    var options: [[UInt8]] = []
    let span = head.bindMemory(to: UInt8.self).span
    for line in lines where line.field == .connection {
      var rest = line.value
      while let option = span.nextListElement(&rest) {
        options.append(span.copy(option).map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 })
      }
    }
    return options
  }
}

extension KnownField {
  /// A Connection field cannot make a proxy lose the fields that routing and safety rest on.
  var mayBeNamedByConnection: Bool {
    switch self {
    case .host, .contentLength, .expect, .authorization, .contentType, .via, .forwarded, .forwardedFor, .forwardedHost,
      .forwardedProto:
      false
    default: true
    }
  }
}
