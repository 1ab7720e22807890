/// Counts server-sent events as they pass (WHATWG HTML, 9.2.6): an event is a run of lines with at least one `data`
/// field, ended by an empty line. Nothing is stored but the start of the current line.
public struct SSEEventCounter: Sendable {
  /// Events with data seen so far, the `[DONE]` that ends an OpenAI stream not among them.
  public private(set) var events = 0
  /// Whether `data: [DONE]` has passed.
  public private(set) var isDone = false

  /// The first sixteen octets of the current line, the first of them lowest: enough for `data: [DONE]`.
  private var start: (low: UInt64, high: UInt64) = (0, 0)
  private var lineLength = 0
  private var hasData = false
  private var skipsLineFeed = false

  public init() {}

  /// Reads the next bytes of the stream, split anywhere.
  public mutating func consume(_ bytes: UnsafeRawBufferPointer) {
    var position = 0
    while position < bytes.count {
      let end = bytes.firstLineEnd(from: position)
      if end > position {
        extendLine(bytes, position..<end)
        guard end < bytes.count else { return }
      }
      let isLineFeed = bytes[end] == UInt8.lineFeed
      // The line feed of a CR LF belongs to the line end before it.
      if !(isLineFeed && skipsLineFeed) { endLine() }
      skipsLineFeed = !isLineFeed
      position = end &+ 1
    }
  }

  private mutating func extendLine(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
    skipsLineFeed = false
    if lineLength == 0, range.count >= 16 {
      start.low = bytes.word(at: range.lowerBound)
      start.high = bytes.word(at: range.lowerBound &+ 8)
    } else {
      var index = range.lowerBound
      var length = lineLength
      while length < 16, index < range.upperBound {
        let octet = UInt64(bytes[index]) << UInt64(length & 7 &* 8)
        if length < 8 { start.low |= octet } else { start.high |= octet }
        index &+= 1
        length &+= 1
      }
    }
    lineLength &+= range.count
  }

  private mutating func endLine() {
    if lineLength == 0 {
      if hasData { events &+= 1 }
      hasData = false
      return
    }
    let isData: Bool
    let isDoneMarker: Bool
    switch lineLength {
    case 4:
      isData = start.low == 0x6174_6164  // "data"
      isDoneMarker = false
    case 11:
      isData = start.low & 0xff_ffff_ffff == 0x3a_6174_6164  // "data:"
      isDoneMarker = start.low == 0x4f44_5b3a_6174_6164 && start.high == 0x5d_454e  // "data:[DO", "NE]"
    case 12:
      isData = start.low & 0xff_ffff_ffff == 0x3a_6174_6164
      isDoneMarker = start.low == 0x445b_203a_6174_6164 && start.high == 0x5d45_4e4f  // "data: [D", "ONE]"
    default:
      isData = start.low & 0xff_ffff_ffff == 0x3a_6174_6164
      isDoneMarker = false
    }
    if isDoneMarker { isDone = true } else if isData { hasData = true }
    start = (0, 0)
    lineLength = 0
  }
}
