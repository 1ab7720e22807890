/// Writes a body as the data of one server-sent event, piece by piece (WHATWG HTML, 9.2.5: each line has its own `data:`, and
/// CR, LF and CR LF end a line).
struct EventWrapper {
  private let isError: Bool
  private var hasBegun = false
  /// A line has ended; whether another follows is not known yet.
  private var endsLine = false
  private var followsReturn = false

  init(isError: Bool) { self.isError = isError }

  mutating func append(_ piece: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    output.reserveCapacity(output.count + piece.count + 64)
    for octet in piece {
      let isPair = octet == 10 && followsReturn
      followsReturn = octet == 13
      // The end of a line was seen with its CR.
      if isPair { continue }
      if endsLine || !hasBegun { beginLine(&output) }
      if octet == 10 || octet == 13 { endsLine = true } else { output.append(octet) }
    }
  }

  /// Ends the event; the end of the last line is no line of its own.
  mutating func end(to output: inout [UInt8]) {
    if !hasBegun { beginLine(&output) }
    output.append("\n\n")
  }

  private mutating func beginLine(_ output: inout [UInt8]) {
    if hasBegun {
      output.append("\ndata: ")
    } else if isError {
      output.append("event: error\ndata: ")
    } else {
      output.append("data: ")
    }
    hasBegun = true
    endsLine = false
  }
}
