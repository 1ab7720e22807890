extension ZoneRule {
  /// Reads a TZ string such as `CET-1CEST,M3.5.0,M10.5.0/3`.
  init(parsing text: some Collection<UInt8>) throws(ZoneError) {
    var parser = ZoneRuleParser(octets: Array(text))
    try parser.skipName()
    // POSIX counts west of Greenwich, everybody else east.
    standardOffset = -(try parser.duration(maxHours: 24))
    guard !parser.isAtEnd else { return }
    try parser.skipName()
    let offset = parser.isAt(",") || parser.isAtEnd ? standardOffset + 3600 : -(try parser.duration(maxHours: 24))
    try parser.expect(",")
    let start = try parser.yearlyMoment()
    try parser.expect(",")
    let end = try parser.yearlyMoment()
    guard parser.isAtEnd else { throw parser.failure("has more than a rule") }
    daylight = Daylight(offset: offset, start: start, end: end)
  }
}

/// Reads the parts of a TZ string, in order.
private struct ZoneRuleParser {
  let octets: [UInt8]
  var index = 0

  var isAtEnd: Bool { index == octets.count }

  func isAt(_ character: Unicode.Scalar) -> Bool { !isAtEnd && octets[index] == UInt8(ascii: character) }

  func failure(_ words: String) -> ZoneError {
    ZoneError("its TZ string \"\(String(decoding: octets.prefix(64), as: UTF8.self))\" \(words)")
  }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard isAt(character) else { return false }
    index += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(ZoneError) {
    guard skip(character) else { throw failure("has no \"\(character)\" at octet \(index)") }
  }

  /// Three letters or more, or anything of letters, digits, `+` and `-` in angle brackets.
  mutating func skipName() throws(ZoneError) {
    let isQuoted = skip("<")
    let start = index
    while !isAtEnd, Self.isLetter(octets[index]) || isQuoted && Self.isQuotable(octets[index]) { index += 1 }
    guard index - start >= 3 else { throw failure("has no name at octet \(start)") }
    if isQuoted { try expect(">") }
  }

  /// `[+-]h[:m[:s]]` in seconds.
  mutating func duration(maxHours: Int) throws(ZoneError) -> Int {
    let sign = skip("-") ? -1 : 1
    if sign == 1 { _ = skip("+") }
    var seconds = try number(0...maxHours) * 3600
    if skip(":") {
      seconds += try number(0...59) * 60
      if skip(":") { seconds += try number(0...59) }
    }
    return sign * seconds
  }

  mutating func yearlyMoment() throws(ZoneError) -> ZoneRule.YearlyMoment {
    let day: ZoneRule.YearlyMoment.Day
    if skip("M") {
      let month = try number(1...12)
      try expect(".")
      let week = try number(1...5)
      try expect(".")
      day = .ofMonth(month, week: week, weekday: try number(0...6))
    } else if skip("J") {
      day = .withoutLeapDay(try number(1...365))
    } else {
      day = .ofYear(try number(0...365))
    }
    // 167 hours, of either sign: RFC 9636, 3.3.2.
    return ZoneRule.YearlyMoment(day: day, seconds: skip("/") ? try duration(maxHours: 167) : 2 * 3600)
  }

  private mutating func number(_ range: ClosedRange<Int>) throws(ZoneError) -> Int {
    let start = index
    var value = 0
    while !isAtEnd, Self.isDigit(octets[index]), index - start < 3 {
      value = value * 10 + Int(octets[index] - UInt8(ascii: "0"))
      index += 1
    }
    guard index > start, range.contains(value) else {
      throw failure("has no number from \(range.lowerBound) to \(range.upperBound) at octet \(start)")
    }
    return value
  }

  private static func isDigit(_ octet: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) }
  private static func isLetter(_ octet: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet | 0x20)
  }
  private static func isQuotable(_ octet: UInt8) -> Bool {
    isDigit(octet) || octet == UInt8(ascii: "+") || octet == UInt8(ascii: "-")
  }
}
