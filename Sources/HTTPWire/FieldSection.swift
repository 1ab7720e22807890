/// What the body of a message is delimited by (RFC 9112, 6.3).
public enum BodyFraming: Hashable, Sendable {
  case none
  /// Content-Length, in bytes.
  case length(Int)
  case chunked
  /// A response that ends with its connection.
  case untilClose
}

/// The field lines of one head, checked and remembered as offsets while they arrive line by line.
///
/// RFC 9112 leaves some faults to the recipient; every one that two recipients could read differently is refused.
struct FieldSection {
  /// Options of all Connection lines: every field's name is compared with each of them.
  static let maximumConnectionOptions = 32

  private(set) var lines: [HTTPHeaders.Line] = []
  private(set) var contentLength: Int?
  private(set) var isChunked = false
  private(set) var hostCount = 0
  private(set) var closes = false
  private(set) var keepsAlive = false
  private(set) var upgrades = false
  private(set) var expectsContinue = false
  private var connectionOptions = 0
  /// Whether `Connection` names fields of this message, which then concern this connection only.
  private(set) var namesFields = false

  /// Forgets everything but the room for lines.
  mutating func reset() {
    var room = lines
    lines = []
    room.removeAll(keepingCapacity: true)
    self = FieldSection(lines: room)
  }

  init(lines: [HTTPHeaders.Line] = []) { self.lines = lines }

  /// Takes one field line without its CR LF. `base` is what offsets are counted from.
  mutating func add(_ octets: Span<UInt8>, line: Range<Int>, base: Int, limits: HTTPLimits) throws(WireError) {
    if lines.capacity == 0 { lines.reserveCapacity(16) }
    guard lines.count < limits.headerCount else {
      throw WireError(status: 431, reason: "more than \(limits.headerCount) header fields")
    }
    let (name, value) = try octets.fieldLine(line)
    guard name.count <= UInt16.max else { throw WireError(status: 431, reason: "header field name too long") }
    let field = KnownField(octets, name)
    if field != .other { try note(field, octets, value) }
    lines.append(
      HTTPHeaders.Line(
        nameStart: UInt32(name.lowerBound - base), valueStart: UInt32(value.lowerBound - base),
        valueLength: UInt32(value.count), nameLength: UInt16(name.count), field: field))
  }

  private mutating func note(_ field: KnownField, _ octets: Span<UInt8>, _ value: Range<Int>) throws(WireError) {
    switch field {
    case .contentLength:
      guard contentLength == nil else { throw .malformed("more than one Content-Length") }
      contentLength = try octets.contentLength(value)
    case .transferEncoding:
      guard !isChunked else { throw .malformed("more than one Transfer-Encoding") }
      guard octets.matches(value, "chunked") else {
        throw WireError(status: 501, reason: "Transfer-Encoding other than 'chunked'")
      }
      isChunked = true
    case .host:
      hostCount += 1
      guard octets.isAuthority(value) else { throw .malformed("Host is no host with or without a port") }
    case .connection:
      var rest = value
      while let option = octets.nextListElement(&rest) {
        connectionOptions += 1
        guard connectionOptions <= Self.maximumConnectionOptions else {
          throw WireError(status: 431, reason: "more than \(Self.maximumConnectionOptions) options in Connection")
        }
        if octets.matches(option, "close") { closes = true }
        if octets.matches(option, "keep-alive") { keepsAlive = true }
        if octets.matches(option, "upgrade") { upgrades = true }
        if !octets.matches(option, "close"), !octets.matches(option, "keep-alive") { namesFields = true }
      }
    case .expect:
      guard octets.matches(value, "100-continue") else {
        throw WireError(status: 417, reason: "Expect other than '100-continue'")
      }
      expectsContinue = true
    default: break
    }
  }

  /// The framing that both kinds of message share; nil when neither field is there.
  func framing(minorVersion: Int) throws(WireError) -> BodyFraming? {
    if isChunked {
      guard contentLength == nil else { throw .malformed("both Content-Length and Transfer-Encoding") }
      guard minorVersion >= 1 else { throw .malformed("Transfer-Encoding in HTTP/1.0") }
      return .chunked
    }
    return contentLength.map { .length($0) }
  }
}

extension Span<UInt8> {
  /// Splits and checks `name ":" OWS value OWS`; no CR LF included (RFC 9112, 5).
  func fieldLine(_ line: Range<Int>) throws(WireError) -> (name: Range<Int>, value: Range<Int>) {
    var index = line.lowerBound
    while index < line.upperBound, self[index].isToken { index &+= 1 }
    let name = line.lowerBound..<index
    guard index < line.upperBound, self[index] == 0x3a, !name.isEmpty else {
      if name.isEmpty, index < line.upperBound, self[index].isBlank { throw .malformed("folded header field") }
      throw .malformed("header field name is empty, holds a character it must not, or lacks its colon")
    }
    let value = trimmingBlanks((index + 1)..<line.upperBound)
    guard isFieldContent(value) else { throw .malformed("control character in a header field value") }
    return (name, value)
  }

  /// `1*DIGIT` and nothing else: no sign, no list, no blank (RFC 9110, 8.6).
  func contentLength(_ value: Range<Int>) throws(WireError) -> Int {
    // 18 digits fit an Int without overflow and exceed any body there is.
    guard !value.isEmpty, value.count <= 18 else { throw .malformed("Content-Length is not a number of bytes") }
    var length = 0
    for index in value {
      guard self[index].isDigit else { throw .malformed("Content-Length is not a number of bytes") }
      length = length * 10 + Int(self[index] - 0x30)
    }
    return length
  }
}
