/// A request's start line and fields, as received and found unambiguous.
public struct RequestHead: Sendable {
  public let headers: HTTPHeaders
  let methodRange: Range<Int>
  let targetRange: Range<Int>
  /// 0 or 1: the peer speaks HTTP/1.0 or HTTP/1.1.
  public let minorVersion: Int
  /// `.none`, `.length` or `.chunked`.
  public let framing: BodyFraming
  /// Whether the client allows another request on this connection.
  public let keepsAlive: Bool
  /// Whether the client waits for 100 (Continue) before it sends its body.
  public let expectsContinue: Bool
  /// Whether the client asks to switch protocols (`Connection: upgrade`).
  public let upgrades: Bool

  public var method: String { headers.text(methodRange) }

  /// The target as sent, in any of its four forms.
  public var target: String { headers.text(targetRange) }

  /// The bytes of the target, valid during the call only.
  public func withTarget<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    headers.octets.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[targetRange])) }
  }

  /// The target's path: up to `?`, with scheme and authority of an absolute-form target taken off.
  public var path: String { headers.text(pathRange) }

  /// What follows the first `?` of the target.
  public var query: String? {
    let end = pathRange.upperBound
    return end < targetRange.upperBound ? headers.text(end + 1..<targetRange.upperBound) : nil
  }

  /// Whom the request is for: the authority of an absolute-form target, which outranks it, or `Host` (RFC 9112, 3.2.2).
  public var authority: String {
    if let range = authorityRange { return headers.text(range) }
    return headers.first(.host) ?? ""
  }

  /// Whether the method is exactly `name`; no String is made.
  public func isMethod(_ name: StaticString) -> Bool {
    guard methodRange.count == name.utf8CodeUnitCount else { return false }
    return name.withUTF8Buffer { expected in
      for index in 0..<expected.count where headers.octets[methodRange.lowerBound + index] != expected[index] {
        return false
      }
      return true
    }
  }

  private var authorityRange: Range<Int>? {
    let octets = headers.octets
    guard octets[targetRange.lowerBound] != 0x2f, let colon = octets[targetRange].firstIndex(of: 0x3a),
      colon + 2 < targetRange.upperBound, octets[colon + 1] == 0x2f, octets[colon + 2] == 0x2f
    else { return nil }
    let start = colon + 3
    let end = octets[start..<targetRange.upperBound].firstIndex { $0 == 0x2f || $0 == 0x3f } ?? targetRange.upperBound
    return start..<end
  }

  private var pathRange: Range<Int> {
    let start = authorityRange?.upperBound ?? targetRange.lowerBound
    let rest = headers.octets[start..<targetRange.upperBound]
    return start..<(rest.firstIndex(of: 0x3f) ?? targetRange.upperBound)
  }
}

/// Parses one request head (RFC 9112, 2-6), refusing what two parsers could read differently.
public struct RequestHeadParser: Sendable {
  private let limits: HTTPLimits
  private var cutter = HeadLines()
  private var fields = FieldSection()
  private var start: StartLine?
  private var base = 0
  private var framing = BodyFraming.none

  private struct StartLine: Sendable {
    var method: Range<Int>
    var target: Range<Int>
    var minorVersion: Int
  }

  public init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

  /// Makes it ready for another head; what it has allocated is used again.
  public mutating func reset() {
    cutter = HeadLines()
    fields.reset()
    start = nil
    base = 0
  }

  /// Parses `octets`, everything received since the head's first byte: call again with more until it answers.
  ///
  /// - Returns: the head and its length in bytes, from where the body or the next request starts; nil: not all there yet.
  public mutating func parse(_ octets: Span<UInt8>) throws(WireError) -> (head: RequestHead, length: Int)? {
    guard let length = try scan(octets) else { return nil }
    let layout = layout
    let head = RequestHead(
      headers: HTTPHeaders(octets: octets.copy(base..<length), lines: layout.lines),
      methodRange: layout.method, targetRange: layout.target, minorVersion: layout.minorVersion, framing: framing,
      keepsAlive: layout.keepsAlive, expectsContinue: layout.expectsContinue, upgrades: layout.upgrades)
    return (head, length)
  }

  /// The same without a copy of anything: ``layout`` tells the head as offsets into `octets`.
  ///
  /// - Returns: the head's length in bytes; nil: not all there yet.
  public mutating func scan(_ octets: Span<UInt8>) throws(WireError) -> Int? {
    while let line = try cutter.next(in: octets, limit: limits.headBytes) {
      guard start != nil else {
        if line.isEmpty, base == 0 {
          base = cutter.position  // One empty line before a request is tolerated (RFC 9112, 2.2).
          continue
        }
        start = try startLine(octets, line)
        continue
      }
      if line.isEmpty {
        try finish()
        return cutter.position
      }
      try fields.add(octets, line: line, base: base, limits: limits)
    }
    return nil
  }

  /// Where the parts of the head stand, once `scan` has answered.
  public var layout: RequestHeadLayout {
    let minorVersion = start?.minorVersion ?? 1
    return RequestHeadLayout(
      base: base, method: start?.method ?? 0..<0, target: start?.target ?? 0..<0, lines: fields.lines,
      framing: framing, minorVersion: minorVersion,
      keepsAlive: !fields.closes && (minorVersion >= 1 || fields.keepsAlive),
      expectsContinue: fields.expectsContinue && minorVersion >= 1, upgrades: fields.upgrades,
      namesFields: fields.namesFields)
  }

  private mutating func finish() throws(WireError) {
    let minorVersion = start?.minorVersion ?? 1
    guard fields.hostCount == 1 || (fields.hostCount == 0 && minorVersion == 0) else {
      throw .malformed(fields.hostCount == 0 ? "Host is missing" : "more than one Host")
    }
    framing = try fields.framing(minorVersion: minorVersion) ?? .none
  }

  private func startLine(_ octets: Span<UInt8>, _ line: Range<Int>) throws(WireError) -> StartLine {
    var index = line.lowerBound
    while index < line.upperBound, octets[index].isToken { index &+= 1 }
    let method = line.lowerBound..<index
    guard !method.isEmpty, index < line.upperBound, octets[index] == 0x20 else {
      throw .malformed("request line does not start with a method and one space")
    }
    let targetStart = index + 1
    index = targetStart
    while index < line.upperBound, octets[index].isTarget { index &+= 1 }
    let target = targetStart..<index
    guard target.count <= limits.targetBytes else {
      throw WireError(status: 414, reason: "request target longer than \(limits.targetBytes) bytes")
    }
    guard !target.isEmpty, index < line.upperBound, octets[index] == 0x20 else {
      throw .malformed("request target is empty or holds a character it must not")
    }
    let minorVersion = try octets.version((index + 1)..<line.upperBound)
    try checkForm(octets, method, target)
    func shifted(_ range: Range<Int>) -> Range<Int> { range.lowerBound - base..<range.upperBound - base }
    return StartLine(method: shifted(method), target: shifted(target), minorVersion: minorVersion)
  }

  /// origin-form, absolute-form, authority-form with CONNECT, asterisk-form with OPTIONS (RFC 9112, 3.2).
  private func checkForm(_ octets: Span<UInt8>, _ method: Range<Int>, _ target: Range<Int>) throws(WireError) {
    for index in target where octets[index] == 0x23 { throw .malformed("request target holds a fragment") }
    let first = octets[target.lowerBound]
    if octets.equals(method, "CONNECT") {
      guard octets.isAuthority(target) else { throw .malformed("request target of CONNECT is no host and port") }
      return
    }
    if first == 0x2f { return }
    if first == 0x2a, target.count == 1, octets.equals(method, "OPTIONS") { return }
    var index = target.lowerBound
    while index < target.upperBound, octets[index].isToken { index &+= 1 }
    guard index > target.lowerBound, index + 2 < target.upperBound, octets[index] == 0x3a,
      octets[index + 1] == 0x2f, octets[index + 2] == 0x2f
    else { throw .malformed("request target is neither a path, an absolute URI, nor '*' with OPTIONS") }
    let authority = index + 3
    index = authority
    while index < target.upperBound, octets[index] != 0x2f, octets[index] != 0x3f { index &+= 1 }
    guard octets.isAuthority(authority..<index) else {
      throw .malformed("request target names no host with or without a port")
    }
  }
}

extension Span<UInt8> {
  func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { expected in
      for index in 0..<expected.count where self[range.lowerBound + index] != expected[index] { return false }
      return true
    }
  }

  /// `HTTP/1.0` or `HTTP/1.1`; a higher minor version is spoken to as 1.1 (RFC 9112, 2.3).
  func version(_ range: Range<Int>) throws(WireError) -> Int {
    guard range.count == 8, equals(range.lowerBound..<range.lowerBound + 5, "HTTP/"),
      self[range.lowerBound + 5].isDigit, self[range.lowerBound + 6] == 0x2e, self[range.lowerBound + 7].isDigit
    else { throw .malformed("start line lacks 'HTTP/1.1' in its place") }
    guard self[range.lowerBound + 5] == 0x31 else {
      throw WireError(status: 505, reason: "HTTP version other than 1.0 and 1.1")
    }
    return self[range.lowerBound + 7] == 0x30 ? 0 : 1
  }
}
