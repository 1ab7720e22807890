extension Zone {
  /// Reads a compiled zone: TZif of versions 1 to 4 (RFC 9636), and later ones as far as they are like these.
  ///
  /// A zone with leap seconds (`right/…`) is refused: the clocks of computers do not count them.
  public init(file octets: [UInt8]) throws(ZoneError) {
    var reader = ZoneFileReader(octets: octets)
    let first = try reader.header()
    guard first.version >= 2 else {
      try self.init(try reader.block(first, timeSize: 4), footer: [])
      return
    }
    // The first block is for readers of version 1.
    _ = try reader.take(first.blockSize(timeSize: 4))
    let block = try reader.block(try reader.header(), timeSize: 8)
    try self.init(block, footer: try reader.footer())
  }

  private init(_ block: ZoneFileBlock, footer: ArraySlice<UInt8>) throws(ZoneError) {
    let rule = footer.isEmpty ? nil : try ZoneRule(parsing: footer)
    var offsets = block.offsets
    // From the last transition on, the footer has the word.
    if let rule, let last = block.times.last { offsets[offsets.count - 1] = rule.offset(at: last) }
    self.init(times: block.times, offsets: offsets, firstOffset: block.firstOffset, rule: rule)
  }
}

/// What is read of a data block.
private struct ZoneFileBlock {
  var times: [Int] = []
  var offsets: [Int] = []
  var firstOffset: Int
}

/// Counts of a header: how long the parts of the block after it are.
private struct ZoneFileHeader {
  var version: Int
  var isUTCount: Int
  var isStandardCount: Int
  var leapCount: Int
  var timeCount: Int
  var typeCount: Int
  var characterCount: Int

  func blockSize(timeSize: Int) -> Int {
    timeCount * (timeSize + 1) + typeCount * 6 + characterCount + leapCount * (timeSize + 4) + isStandardCount
      + isUTCount
  }
}

/// Reads a file's parts in order, each only after it is known to be there.
private struct ZoneFileReader {
  let octets: [UInt8]
  var index = 0

  mutating func take(_ count: Int) throws(ZoneError) -> ArraySlice<UInt8> {
    guard count <= octets.count - index else {
      throw ZoneError("it ends at octet \(octets.count), in the middle of what it announced")
    }
    index += count
    return octets[index - count..<index]
  }

  mutating func header() throws(ZoneError) -> ZoneFileHeader {
    guard try take(4).elementsEqual("TZif".utf8) else { throw ZoneError("it is not in the TZif format") }
    let version = try take(1).first ?? 0
    guard version == 0 || version >= UInt8(ascii: "2") else { throw ZoneError("its version is unknown") }
    _ = try take(15)
    var counts: [Int] = []
    for _ in 0..<6 { counts.append(try number(4)) }
    return ZoneFileHeader(
      version: version == 0 ? 1 : Int(version - UInt8(ascii: "0")), isUTCount: counts[0], isStandardCount: counts[1],
      leapCount: counts[2], timeCount: counts[3], typeCount: counts[4], characterCount: counts[5])
  }

  mutating func block(_ header: ZoneFileHeader, timeSize: Int) throws(ZoneError) -> ZoneFileBlock {
    guard header.leapCount == 0 else { throw ZoneError("it counts leap seconds") }
    guard header.typeCount > 0 else { throw ZoneError("it has no local time type") }
    guard header.blockSize(timeSize: timeSize) <= octets.count - index else {
      throw ZoneError("it announces more than it has")
    }
    var times: [Int] = []
    for _ in 0..<header.timeCount {
      let time = try signedNumber(timeSize)
      guard time > times.last ?? -Zone.limit - 1, time <= Zone.limit else {
        throw ZoneError("its transitions are not in order")
      }
      times.append(time)
    }
    let types = try take(header.timeCount)
    var offsets: [Int] = []
    for _ in 0..<header.typeCount {
      let offset = try signedNumber(4)
      guard Zone.offsets.contains(offset) else { throw ZoneError("an offset of \(offset) s is more than a day") }
      offsets.append(offset)
      // Whether it is daylight saving time, and where its abbreviation is: nobody asks.
      _ = try take(2)
    }
    guard types.allSatisfy({ Int($0) < offsets.count }) else { throw ZoneError("a transition leads nowhere") }
    _ = try take(header.characterCount + header.isStandardCount + header.isUTCount)
    return ZoneFileBlock(times: times, offsets: types.map { offsets[Int($0)] }, firstOffset: offsets[0])
  }

  /// The TZ string between two newlines, with which the file ends.
  mutating func footer() throws(ZoneError) -> ArraySlice<UInt8> {
    let newline = UInt8(ascii: "\n")
    let rest = octets[index...]
    guard rest.count >= 2, rest.first == newline, rest.last == newline else { throw ZoneError("it has no footer") }
    index = octets.count
    return rest.dropFirst().dropLast()
  }

  private mutating func number(_ size: Int) throws(ZoneError) -> Int {
    var value = 0
    for octet in try take(size) { value = value << 8 | Int(octet) }
    return value
  }

  private mutating func signedNumber(_ size: Int) throws(ZoneError) -> Int {
    let value = try number(size)
    return size == 4 ? Int(Int32(truncatingIfNeeded: value)) : value
  }
}
