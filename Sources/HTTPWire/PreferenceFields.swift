/// `Prefer` (RFC 7240): how long a client is ready to wait.
public enum PreferHeader {
  /// The `wait` preference in whole seconds, nil when absent or not a number. Of several, the first holds (RFC 7240, 2).
  public static func wait(in values: [String]) -> Duration? {
    for value in values {
      let found = value.withOctets { octets -> Duration?? in
        var rest = 0..<octets.count
        while let (name, value) = octets.nextMember(&rest) {
          // Blanks around "=" are tolerated (RFC 7240, 2: BWS).
          guard let value, octets.matches(octets.trimmingBlanks(name), "wait") else { continue }
          return .some(octets.seconds(octets.unquoting(octets.trimmingBlanks(value))))
        }
        return nil
      }
      if let found { return found }
    }
    return nil
  }
}

/// `Priority` (RFC 9218): how urgent a request is.
public struct PriorityHeader: Hashable, Sendable {
  /// 0, the most urgent, to 7; 3 unless said otherwise.
  public var urgency: Int
  /// Whether the response is of use in pieces.
  public var isIncremental: Bool

  public init(urgency: Int = 3, isIncremental: Bool = false) {
    self.urgency = urgency
    self.isIncremental = isIncremental
  }

  /// Reads the field's dictionary (RFC 8941, 3.2). Of a repeated member the last holds; an unknown member, a value out
  /// of range or of the wrong type is ignored, as RFC 9218, 4 asks.
  public init(_ values: [String]) {
    self.init()
    for value in values {
      value.withOctets { octets in
        var rest = 0..<octets.count
        while let (name, value) = octets.nextMember(&rest) { take(octets, name, value) }
      }
    }
  }

  private mutating func take(_ octets: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>?) {
    if octets.equals(name, "u"), let value, value.count == 1 {
      let level = octets[value.lowerBound]
      if level >= 0x30, level <= 0x37 { urgency = Int(level) - 0x30 }
    } else if octets.equals(name, "i") {
      if value.map({ octets.equals($0, "?1") }) ?? true {
        isIncremental = true
      } else if let value, octets.equals(value, "?0") {
        isIncremental = false
      }
    }
  }
}

/// Lists of `name[=value][;parameters]`, read octet by octet: a stranger's field of 64 KiB is gone through once, and
/// nothing of it is copied.
extension Span<UInt8> {
  /// Takes the next member off the front of `rest`: its name and, after a "=", its value, parameters left out.
  fileprivate func nextMember(_ rest: inout Range<Int>) -> (name: Range<Int>, value: Range<Int>?)? {
    while !rest.isEmpty {
      let end = firstUnquoted(0x2c, in: rest)
      let member = rest.lowerBound..<end
      rest = Swift.min(end + 1, rest.upperBound)..<rest.upperBound
      let item = trimmingBlanks(member.lowerBound..<firstUnquoted(0x3b, in: member))
      guard !item.isEmpty else { continue }
      var equals = item.lowerBound
      while equals < item.upperBound, self[equals] != 0x3d { equals += 1 }
      guard equals < item.upperBound else { return (item, nil) }
      return (item.lowerBound..<equals, equals + 1..<item.upperBound)
    }
    return nil
  }

  /// Where `octet` first stands outside of quoted strings; the range's end when it does not.
  private func firstUnquoted(_ octet: UInt8, in range: Range<Int>) -> Int {
    var index = range.lowerBound
    var isQuoted = false
    while index < range.upperBound {
      let next = self[index]
      if next == octet, !isQuoted { return index }
      if next == 0x22 { isQuoted.toggle() }
      index += isQuoted && next == 0x5c ? 2 : 1
    }
    return range.upperBound
  }

  fileprivate func unquoting(_ range: Range<Int>) -> Range<Int> {
    guard range.count >= 2, self[range.lowerBound] == 0x22, self[range.upperBound - 1] == 0x22 else { return range }
    return range.lowerBound + 1..<range.upperBound - 1
  }

  /// `delta-seconds`: digits only, at most nine of them.
  fileprivate func seconds(_ range: Range<Int>) -> Duration? {
    guard !range.isEmpty, range.count <= 9 else { return nil }
    var seconds = 0
    for index in range {
      guard self[index].isDigit else { return nil }
      seconds = seconds * 10 + Int(self[index] - 0x30)
    }
    return .seconds(seconds)
  }
}

extension String {
  fileprivate func withOctets<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    var text = self
    return text.withUTF8 { body($0.span) }
  }
}
