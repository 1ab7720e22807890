extension Span<UInt8> {
  /// Whether `range` is a host that is not empty, with or without a port (RFC 3986, 3.2.2 and 3.2.3; RFC 9110, 4.2.1). A
  /// user before the host is none of it (RFC 9110, 4.2.4).
  func isAuthority(_ range: Range<Int>) -> Bool {
    guard !range.isEmpty else { return false }
    let isAddress = self[range.lowerBound] == 0x5b
    guard let end = isAddress ? bracketedEnd(range) : nameEnd(range), end > range.lowerBound else { return false }
    if end == range.upperBound { return true }
    guard self[end] == 0x3a else { return false }
    for index in (end + 1)..<range.upperBound where !self[index].isDigit { return false }
    return true
  }

  /// Where `[IPv6address]` ends; nil: it is none.
  private func bracketedEnd(_ range: Range<Int>) -> Int? {
    var index = range.lowerBound + 1
    while index < range.upperBound, self[index].hexValue != nil || self[index] == 0x3a || self[index] == 0x2e {
      index += 1
    }
    guard index > range.lowerBound + 1, index < range.upperBound, self[index] == 0x5d else { return nil }
    return index + 1
  }

  /// Where a registered name or IPv4 address ends: at its colon, or with the range; nil: it is none.
  private func nameEnd(_ range: Range<Int>) -> Int? {
    var index = range.lowerBound
    while index < range.upperBound, self[index] != 0x3a {
      if self[index] == 0x25 {
        guard index + 2 < range.upperBound, self[index + 1].hexValue != nil, self[index + 2].hexValue != nil else {
          return nil
        }
        index += 3
      } else {
        guard self[index].isNameOctet else { return nil }
        index += 1
      }
    }
    return index
  }
}

extension UInt8 {
  /// Unreserved characters and sub-delims of RFC 3986.
  fileprivate var isNameOctet: Bool {
    switch self {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case 0x2d, 0x2e, 0x5f, 0x7e, 0x21, 0x24, 0x26...0x2b, 0x3b, 0x3d: true
    default: false
    }
  }
}
