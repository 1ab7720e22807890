/// The one form of a path by which it is matched and in which it is sent on (RFC 3986, 6.2.2): escapes of unreserved
/// characters decoded and others in upper case, empty segments gone, dot segments resolved.
enum PathNormalizer {
  /// Goes through the path once, and works on octets: a stranger may send 16 KiB of dot segments.
  ///
  /// - Parameter path: begins with a slash.
  /// - Returns: nil when two servers could read the path differently: a backslash, which some take for a slash, a broken
  ///   escape, %00, which ends the path for some (RFC 3986, 2.1 and 7.3), or a dot segment beside an encoded slash or
  ///   backslash, which some decode before they resolve it.
  static func normalized(_ path: some Sequence<UInt8>) -> [UInt8]? {
    guard var octets = decoded(path) else { return nil }
    guard resolveSegments(&octets) else { return nil }
    return octets
  }

  private static func decoded(_ path: some Sequence<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(path.underestimatedCount)
    var rest = path.makeIterator()
    while let octet = rest.next() {
      if octet == UInt8(ascii: "\\") { return nil }
      guard octet == UInt8(ascii: "%") else {
        result.append(octet)
        continue
      }
      guard let high = rest.next(), let low = rest.next(), let highValue = PercentEncoding.digit(high),
        let lowValue = PercentEncoding.digit(low)
      else { return nil }
      let value = highValue << 4 | lowValue
      guard value != 0 else { return nil }
      if PercentEncoding.isUnreserved(value) {
        result.append(value)
      } else {
        result.append(octet)
        result.append(upper(high))
        result.append(upper(low))
      }
    }
    return result
  }

  private static func upper(_ digit: UInt8) -> UInt8 { digit >= UInt8(ascii: "a") ? digit - 0x20 : digit }

  /// Takes empty and dot segments out, in place: what is kept never overtakes what is read.
  private static func resolveSegments(_ octets: inout [UInt8]) -> Bool {
    let slash = UInt8(ascii: "/")
    // What is kept ends with a slash, before which the last segment stands.
    var kept = 1
    var start = 1
    while start < octets.count {
      var end = start
      while end < octets.count, octets[end] != slash { end += 1 }
      switch kind(of: octets[start..<end]) {
      case .dot: break
      case .twoDots:
        if kept > 1 { kept -= 1 }
        while octets[kept - 1] != slash { kept -= 1 }
      case .ambiguous: return false
      case .other:
        for index in start..<end {
          octets[kept] = octets[index]
          kept += 1
        }
        if end < octets.count {
          octets[kept] = slash
          kept += 1
        }
      }
      start = end + 1
    }
    octets.removeSubrange(kept...)
    return true
  }

  private enum Segment {
    /// `.`, or nothing.
    case dot
    case twoDots
    /// It would hold a dot segment if its encoded slashes were slashes.
    case ambiguous
    case other
  }

  private static func kind(of segment: ArraySlice<UInt8>) -> Segment {
    var start = segment.startIndex
    var index = start
    while index < segment.endIndex {
      guard segment[index] == UInt8(ascii: "%"), isEncodedSeparator(segment[index + 1], segment[index + 2]) else {
        index += 1
        continue
      }
      if isDots(segment[start..<index]) { return .ambiguous }
      index += 3
      start = index
    }
    guard isDots(segment[start...]) else { return segment.isEmpty ? .dot : .other }
    guard start == segment.startIndex else { return .ambiguous }
    return segment.count == 1 ? .dot : .twoDots
  }

  private static func isDots(_ piece: ArraySlice<UInt8>) -> Bool {
    (piece.count == 1 || piece.count == 2) && piece.allSatisfy { $0 == UInt8(ascii: ".") }
  }

  /// `%2F` or `%5C`, in upper case by then.
  private static func isEncodedSeparator(_ high: UInt8, _ low: UInt8) -> Bool {
    high == UInt8(ascii: "2") && low == UInt8(ascii: "F") || high == UInt8(ascii: "5") && low == UInt8(ascii: "C")
  }
}
