/// A request target (RFC 9112, 3.2) taken apart, its path in the one form by which it is matched and sent on.
struct RequestTarget: Equatable, Sendable {
  /// Absolute path as ``PathNormalizer`` leaves it, or `*`.
  var path: String
  /// As sent, with its `?`; "" when there is none.
  var query: String
  /// Authority of an absolute-form target; nil in origin form.
  var authority: String?

  /// Nil: neither origin form, absolute form nor `*`, or of a path that two servers could read differently.
  ///
  /// - Parameter isOptions: of an absolute form without path and query OPTIONS means the server (RFC 9112, 3.2.4).
  init?(_ target: String, isOptions: Bool = false) {
    var rest = Substring(target)
    if let scheme = rest.range(ofScheme: "http://") ?? rest.range(ofScheme: "https://") {
      rest = rest[scheme...]
      let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
      guard end > rest.startIndex else { return nil }
      authority = String(rest[..<end])
      rest = rest[end...]
      if rest.isEmpty, isOptions { rest = "*" } else if !rest.hasPrefix("/") { rest = "/" + rest }
    }
    guard rest != "*" else {
      (path, query) = ("*", "")
      return
    }
    guard rest.hasPrefix("/") else { return nil }
    let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
    query = String(rest[mark...])
    guard let octets = PathNormalizer.normalized(rest[..<mark].utf8) else { return nil }
    path = String(decoding: octets, as: UTF8.self)
  }

  /// What is sent upstream in origin form.
  var originForm: String { query.isEmpty ? path : path + query }

  /// Authority of an absolute-form target without the work of taking the rest apart; nil in origin form.
  static func authority(of target: String) -> String? {
    target.utf8.first == UInt8(ascii: "/") ? nil : RequestTarget(target)?.authority
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
