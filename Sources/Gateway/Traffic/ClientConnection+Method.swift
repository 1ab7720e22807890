import HTTPWire

/// Requests whose method tells that they go no further than here.
extension ClientConnection {
  /// What may be asked for, as an answer that concerns a method says (RFC 9110, 10.2.1).
  static let allowedMethods = "GET, HEAD, POST, OPTIONS"

  /// Answers TRACE, and OPTIONS that has no hops left; false where the request goes on.
  func answersMethod(_ call: Call, _ request: HeadView, _ rest: UnsafeMutableBufferPointer<UInt8>) -> Bool {
    if request.isMethod("TRACE") {
      fail(call, .noTrace, rest)
      return true
    }
    guard call.traits.contains(.isOptions) else { return false }
    switch MaxForwards(request) {
    case .left(0): respond(call, rest, 204, nil, [], extra: [("allow", Self.allowedMethods)])
    case .malformed: fail(call, .badRequest("Max-Forwards is not one number of hops, such as 'Max-Forwards: 3'"), rest)
    case .left, .unbounded: return false
    }
    return true
  }
}
