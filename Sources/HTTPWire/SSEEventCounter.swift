/// Counts server-sent events as they pass (WHATWG HTML, 9.2.6): an event is a run of lines with at least one `data`
/// field, ended by an empty line. Nothing is stored but the start of the current line.
public struct SSEEventCounter: Sendable {
  /// Events with data seen so far, the `[DONE]` that ends an OpenAI stream not among them.
  public private(set) var events = 0
  /// Whether `data: [DONE]` has passed.
  public private(set) var isDone = false

  private var lineStart: UInt64 = 0
  private var lineLength = 0
  private var hasData = false
  private var skipsLineFeed = false
  private var doneTail = 0

  public init() {}

  /// Reads the next bytes of the stream, split anywhere.
  public mutating func consume(_ bytes: UnsafeRawBufferPointer) {
    for octet in bytes {
      if octet == UInt8.lineFeed || octet == UInt8.carriageReturn {
        if octet == UInt8.lineFeed, skipsLineFeed {
          skipsLineFeed = false
          continue
        }
        skipsLineFeed = octet == UInt8.carriageReturn
        endLine()
      } else {
        skipsLineFeed = false
        note(octet)
      }
    }
  }

  private mutating func note(_ octet: UInt8) {
    if lineLength < 5 { lineStart = lineStart << 8 | UInt64(octet) }
    lineLength += 1
    if lineLength > 5 { matchDone(octet) }
  }

  /// Follows `[DONE]` after `data:` and an optional space; -1 once the value is something else.
  private mutating func matchDone(_ octet: UInt8) {
    if lineLength == 6, octet == 0x20 { return }
    let done: StaticString = "[DONE]"
    guard doneTail >= 0 else { return }
    doneTail = doneTail < 6 && done.withUTF8Buffer { $0[doneTail] == octet } ? doneTail + 1 : -1
  }

  private mutating func endLine() {
    if lineLength == 0 {
      if hasData { events += 1 }
      hasData = false
    } else if lineStart == 0x64_6174_613a || (lineLength == 4 && lineStart == 0x6461_7461) {  // "data:", "data"
      if doneTail == 6 { isDone = true } else { hasData = true }
    }
    lineStart = 0
    lineLength = 0
    doneTail = 0
  }
}
