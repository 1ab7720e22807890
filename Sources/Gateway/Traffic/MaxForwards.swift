import HTTPWire

/// How many hops a request may still take, as `Max-Forwards` says of OPTIONS and TRACE (RFC 9110, 7.6.2).
enum MaxForwards: Equatable {
  /// The request says nothing of it.
  case unbounded
  /// 0: it goes no further than here.
  case left(Int)
  /// No number, or more than one.
  case malformed

  init(_ request: HeadView) {
    self = .unbounded
    for line in request.layout.lines where line.field == .maxForwards {
      guard self == .unbounded, let hops = Self.number(request.bytes[line.value]) else {
        self = .malformed
        return
      }
      self = .left(hops)
    }
  }

  /// More than any chain of proxies has: larger numbers become this one, as the RFC allows.
  private static let most = 1_000_000

  private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard !digits.isEmpty else { return nil }
    var number = 0
    for digit in digits {
      guard digit >= 0x30, digit <= 0x39 else { return nil }
      number = min(number * 10 + Int(digit - 0x30), most)
    }
    return number
  }
}
