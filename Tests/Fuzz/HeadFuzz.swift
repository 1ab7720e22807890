/// Heads of requests and responses: the same however they arrive, with one reading, and fit to be passed on.
func fuzzHead(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard let input = FuzzInput(start, count) else { return -1 }
  switch input.choice % 3 {
  case 0: check(input, { RequestHeadParser(limits: fuzzLimits) }, checkRequest)
  case 1: check(input, { ResponseHeadParser(isHead: false, limits: fuzzLimits) }, checkResponse)
  default: check(input, { ResponseHeadParser(isHead: true, limits: fuzzLimits) }, checkResponse)
  }
  return 0
}

private enum Verdict<Head> {
  case head(Head, length: Int)
  case refused(WireError)
  case incomplete
}

/// Gives a parser everything up to each of `cuts`, then all; stops at the first answer.
private func parse<Parser: HeadParser>(_ parser: Parser, _ octets: [UInt8], cuts: [Int]) -> Verdict<Parser.Head> {
  var parser = parser
  for end in cuts + [octets.count] {
    let received = Array(octets[..<end])
    do {
      if let found = try parser.parse(received.span) { return .head(found.head, length: found.length) }
    } catch {
      return .refused(error)
    }
  }
  return .incomplete
}

private func check<Parser: HeadParser>(
  _ input: FuzzInput, _ parser: () -> Parser, _ checkHead: (Parser.Head, [UInt8]) -> Void
) {
  let whole = parse(parser(), input.octets, cuts: [])
  for cuts in input.arrivals {
    let split = parse(parser(), input.octets, cuts: cuts)
    switch (whole, split) {
    case (.head(let left, let length), .head(let right, let other)):
      require(length == other, "a head of \(length) octets is one of \(other) when it comes in pieces")
      require(octets(of: left) == octets(of: right), "a head differs when it comes in pieces")
    case (.refused(let left), .refused(let right)):
      require(left == right, "'\(left)' becomes '\(right)' when it comes in pieces")
    case (.incomplete, .incomplete): break
    default: require(false, "\(whole) becomes \(split) when it comes in pieces")
    }
  }
  guard case .head(let head, let length) = whole else { return }
  require(length <= min(input.octets.count, fuzzLimits.headBytes), "a head is longer than what came, or than its bound")
  let raw = Array(input.octets[..<length])
  checkLines(raw)
  checkHead(head, raw)
  let written = octets(of: head)
  // A phrase that was repaired is longer, maybe too long for a head.
  guard written.count <= fuzzLimits.headBytes else { return }
  guard case .head(let again, let consumed) = parse(parser(), written, cuts: []) else {
    return require(false, "a head is refused when it is written again: \(String(decoding: written, as: UTF8.self))")
  }
  require(consumed == written.count && octets(of: again) == written, "a head is another one when it is written again")
}

/// Every CR stands before an LF, and every LF after a CR: no reader finds other lines.
private func checkLines(_ raw: [UInt8]) {
  for index in raw.indices {
    if raw[index] == 13 { require(index + 1 < raw.count && raw[index + 1] == 10, "a bare CR was accepted") }
    if raw[index] == 10 { require(index > 0 && raw[index - 1] == 13, "a bare LF was accepted") }
  }
}

/// The head written anew, as plainly as it can be. A phrase that is no UTF-8 is repaired, once and for all.
private func octets(of head: Any) -> [UInt8] {
  var octets: [UInt8] = []
  let headers: HTTPHeaders
  if let request = head as? RequestHead {
    octets += "\(request.method) \(request.target) HTTP/1.\(request.minorVersion)\r\n".utf8
    headers = request.headers
  } else if let response = head as? ResponseHead {
    octets += "HTTP/1.\(response.minorVersion) \(response.status) \(response.reason)\r\n".utf8
    headers = response.headers
  } else {
    return []
  }
  headers.forEachLine { name, value, _ in octets += name + [0x3a, 0x20] + value + [13, 10] }
  return octets + [13, 10]
}

/// The values of the field lines of a name, given in lower case.
private func values(_ headers: HTTPHeaders, _ name: StaticString) -> [[UInt8]] {
  var found: [[UInt8]] = []
  headers.forEachLine { line, value, _ in
    if line.equalsIgnoringCase(name.withUTF8Buffer { Array($0) }) { found.append(Array(value)) }
  }
  return found
}

private func checkFraming(_ headers: HTTPHeaders, _ framing: BodyFraming) {
  let lengths = values(headers, "content-length")
  let codings = values(headers, "transfer-encoding")
  require(lengths.count + codings.count <= 1, "a head that says twice where its body ends was accepted")
  if let length = lengths.first {
    require(!length.isEmpty && length.allSatisfy(\.isDigit), "a length that is no number was accepted")
  }
  if let coding = codings.first {
    require(
      String(decoding: coding, as: UTF8.self).lowercased() == "chunked", "a coding other than chunked was accepted")
  }
  if case .length(let length) = framing {
    require(lengths.first.flatMap { Int(String(decoding: $0, as: UTF8.self)) } == length, "a length was misread")
  }
  headers.forEachLine { name, value, _ in
    require(!name.isEmpty && name.allSatisfy(\.isToken), "a name that is no token was accepted")
    require(value.allSatisfy(\.isFieldContent), "a control character in a value was accepted")
  }
}

private func checkRequest(_ head: RequestHead, _ raw: [UInt8]) {
  checkFraming(head.headers, head.framing)
  require(head.framing != .untilClose, "a request ends with its connection")
  require(
    (head.framing == .none) == values(head.headers, "content-length").isEmpty
      && values(head.headers, "transfer-encoding").isEmpty || head.framing == .chunked,
    "a request's framing was misread")
  let hosts = values(head.headers, "host").count
  require(hosts == 1 || hosts == 0 && head.minorVersion == 0, "a request of \(hosts) hosts was accepted")
  require(
    head.target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x23 }, "a target of odd characters was accepted")
  checkForwarding(head, raw)
}

private func checkResponse(_ head: ResponseHead, _ raw: [UInt8]) {
  checkFraming(head.headers, head.framing)
  require((100...599).contains(head.status), "a status of \(head.status) was accepted")
  if head.status < 200 || head.status == 204 || head.status == 304 {
    require(head.framing == .none, "a response of status \(head.status) has a body")
  }
  require(head.framing != .untilClose || !head.keepsAlive, "a connection is kept that the body ends with")
}

/// What is passed on of a request is well-formed, and nothing in it concerns this connection only.
private func checkForwarding(_ head: RequestHead, _ raw: [UInt8]) {
  var parser = RequestHeadParser(limits: fuzzLimits)
  guard (try? parser.scan(raw.span)) == raw.count else { return require(false, "scan and parse disagree") }
  let layout = parser.layout
  var written = Array("GET / HTTP/1.0\r\n".utf8)
  raw.withUnsafeBytes { bytes in
    FieldForwarding.append(
      layout.lines, of: UnsafeRawBufferPointer(rebasing: bytes[layout.base...]), namesFields: layout.namesFields,
      to: &written
    ) { _ in false }
  }
  written += [13, 10]
  guard case .head(let passed, _) = parse(RequestHeadParser(), written, cuts: []) else {
    return require(false, "what is passed on is refused: \(String(decoding: written, as: UTF8.self))")
  }
  require(values(passed.headers, "host") == values(head.headers, "host"), "Host is lost or another when passed on")
  passed.headers.forEachLine { _, _, field in
    require(!field.isHopByHop && !field.isFraming, "a field of this connection only is passed on")
  }
}
