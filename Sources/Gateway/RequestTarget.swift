/// A request target (RFC 9112, 3.2) taken apart, with dot segments resolved (RFC 3986, 5.2.4) before anything is matched.
struct RequestTarget: Equatable, Sendable {
  /// Absolute path, percent-encoding as sent but for encoded dots that make a dot segment.
  var path: String
  /// With its `?`; "" when there is none.
  var query: String
  /// Authority of an absolute-form target; nil in origin form.
  var authority: String?

  /// Nil: neither origin form, absolute form nor `*`, or of a path that two servers could read differently.
  init?(_ target: String) {
    var rest = Substring(target)
    if let scheme = rest.range(ofScheme: "http://") ?? rest.range(ofScheme: "https://") {
      rest = rest[scheme...]
      let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) ?? rest.endIndex
      guard end > rest.startIndex else { return nil }
      authority = String(rest[..<end])
      rest = rest[end...]
      if !rest.hasPrefix("/") { rest = "/" + rest }
    }
    guard rest.hasPrefix("/") || rest == "*" else { return nil }
    let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
    query = String(rest[mark...])
    guard Self.isUnambiguous(rest[..<mark]) else { return nil }
    path = Self.normalized(rest[..<mark])
  }

  /// Whether every server reads the path alike: no backslash, which some take for a slash, no broken escape and no %00,
  /// which ends the path for some (RFC 3986, 2.1 and 7.3).
  private static func isUnambiguous(_ path: Substring) -> Bool {
    var rest = path.utf8[...]
    while let first = rest.popFirst() {
      if first == UInt8(ascii: "\\") { return false }
      guard first == UInt8(ascii: "%") else { continue }
      guard let high = rest.popFirst(), let low = rest.popFirst(), high.isHexDigit, low.isHexDigit,
        high != UInt8(ascii: "0") || low != UInt8(ascii: "0")
      else { return false }
    }
    return true
  }

  /// What is sent upstream in origin form.
  var originForm: String { query.isEmpty ? path : path + query }

  /// Authority of an absolute-form target without the work of taking the rest apart; nil in origin form.
  static func authority(of target: String) -> String? {
    target.utf8.first == UInt8(ascii: "/") ? nil : RequestTarget(target)?.authority
  }

  private static func normalized(_ path: Substring) -> String {
    guard path.utf8.contains(UInt8(ascii: ".")) || path.utf8.contains(UInt8(ascii: "%")) else { return String(path) }
    var kept: [Substring] = []
    var endsInSlash = false
    let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      switch Self.dots(in: segment) {
      case 1: endsInSlash = isLast
      case 2:
        _ = kept.popLast()
        endsInSlash = isLast
      default: kept.append(segment)
      }
    }
    return "/" + kept.joined(separator: "/") + (endsInSlash && !kept.isEmpty ? "/" : "")
  }

  /// 1 for `.`, 2 for `..`, however encoded; 0 for anything else.
  private static func dots(in segment: Substring) -> Int {
    var count = 0
    var rest = segment.utf8[...]
    while let first = rest.first {
      if first == UInt8(ascii: ".") {
        rest = rest.dropFirst()
      } else if rest.starts(with: "%2e".utf8) || rest.starts(with: "%2E".utf8) {
        rest = rest.dropFirst(3)
      } else {
        return 0
      }
      count += 1
      if count > 2 { return 0 }
    }
    return count
  }
}

extension Substring {
  /// Where the text after the scheme begins, if it has this one (case-insensitive).
  fileprivate func range(ofScheme scheme: String) -> Substring.Index? {
    guard utf8.count >= scheme.utf8.count else { return nil }
    let end = utf8.index(startIndex, offsetBy: scheme.utf8.count)
    return self[..<end].lowercased() == scheme ? end : nil
  }
}

extension UInt8 {
  fileprivate var isHexDigit: Bool {
    switch self {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }
}
