/// A response's status line and fields, as received and found unambiguous.
public struct ResponseHead: Sendable {
  public let headers: HTTPHeaders
  /// 100 to 599.
  public let status: Int
  let reasonRange: Range<Int>
  public let minorVersion: Int
  /// How the body is delimited, the request's method taken into account.
  public let framing: BodyFraming
  /// Whether the server allows another request on this connection.
  public let keepsAlive: Bool

  /// The reason phrase; may be empty.
  public var reason: String { headers.text(reasonRange) }

  /// Whether the server switched protocols (101): what follows is not HTTP.
  public var isUpgrade: Bool { status == 101 }

  /// Whether this is an interim answer that another head follows.
  public var isInterim: Bool { status < 200 && status != 101 }

  /// The Content-Length, also where no body follows (HEAD, 304).
  public var contentLength: Int? { headers.first(.contentLength).flatMap { Int($0) } }
}

/// Parses one response head, with the same strictness as requests: a server that is ambiguous is broken.
public struct ResponseHeadParser: Sendable {
  private let limits: HTTPLimits
  private var isHead: Bool
  private var cutter = HeadLines()
  private var fields = FieldSection()
  private var start: StatusLine?
  private var framing = BodyFraming.none

  private struct StatusLine: Sendable {
    var status: Int
    var reason: Range<Int>
    var minorVersion: Int
  }

  /// - Parameter isHead: whether the request's method was HEAD, whose response has no body whatever its fields say.
  public init(isHead: Bool, limits: HTTPLimits = HTTPLimits()) {
    self.isHead = isHead
    self.limits = limits
  }

  /// Makes it ready for another head; what it has allocated is used again.
  public mutating func reset(isHead: Bool) {
    self.isHead = isHead
    cutter = HeadLines()
    fields.reset()
    start = nil
  }

  /// Parses `octets`, everything received since the head's first byte: call again with more until it answers.
  public mutating func parse(_ octets: Span<UInt8>) throws(WireError) -> (head: ResponseHead, length: Int)? {
    guard let length = try scan(octets) else { return nil }
    let layout = layout
    let head = ResponseHead(
      headers: HTTPHeaders(octets: octets.copy(0..<length), lines: layout.lines), status: layout.status,
      reasonRange: layout.reason, minorVersion: start?.minorVersion ?? 1, framing: framing,
      keepsAlive: layout.keepsAlive)
    return (head, length)
  }

  /// The same without a copy of anything: ``layout`` tells the head as offsets into `octets`.
  ///
  /// - Returns: the head's length in bytes; nil: not all there yet.
  public mutating func scan(_ octets: Span<UInt8>) throws(WireError) -> Int? {
    while let line = try cutter.next(in: octets, limit: limits.headBytes) {
      guard start != nil else {
        start = try statusLine(octets, line)
        continue
      }
      if line.isEmpty {
        let declared = try fields.framing(minorVersion: start?.minorVersion ?? 1)
        let status = start?.status ?? 0
        let hasNoBody = isHead || status < 200 || status == 204 || status == 304
        framing = hasNoBody ? .none : declared ?? .untilClose
        return cutter.position
      }
      try fields.add(octets, line: line, base: 0, limits: limits)
    }
    return nil
  }

  /// Where the parts of the head stand, once `scan` has answered.
  public var layout: ResponseHeadLayout {
    let minorVersion = start?.minorVersion ?? 1
    return ResponseHeadLayout(
      status: start?.status ?? 0, reason: start?.reason ?? 0..<0, lines: fields.lines, framing: framing,
      contentLength: fields.contentLength, isChunked: fields.isChunked,
      keepsAlive: framing != .untilClose && !fields.closes && (minorVersion >= 1 || fields.keepsAlive),
      upgrades: fields.upgrades, namesFields: fields.namesFields)
  }

  /// `HTTP-version SP 3DIGIT SP [reason]`; the last space is forgiven, as servers without a reason leave it out.
  private func statusLine(_ octets: Span<UInt8>, _ line: Range<Int>) throws(WireError) -> StatusLine {
    let start = line.lowerBound
    guard line.count >= 12, octets[start + 8] == 0x20 else { throw .malformed("status line is too short") }
    let minorVersion = try octets.version(start..<start + 8)
    var status = 0
    for index in start + 9..<start + 12 {
      guard octets[index].isDigit else { throw .malformed("status is not a number") }
      status = status * 10 + Int(octets[index] - 0x30)
    }
    guard status >= 100, status <= 599 else { throw .malformed("status \(status) is not between 100 and 599") }
    if line.count == 12 { return StatusLine(status: status, reason: 0..<0, minorVersion: minorVersion) }
    guard octets[start + 12] == 0x20 else { throw .malformed("status is longer than three digits") }
    let reason = start + 13..<line.upperBound
    for index in reason where !octets[index].isFieldContent { throw .malformed("control character in the reason") }
    return StatusLine(status: status, reason: reason, minorVersion: minorVersion)
  }
}
