/// In which order a request tries the pools. There are few such orders, so that one is a small number in a queue.
struct PoolOrder: Hashable, Sendable {
  /// 0: the service's own order; else two bits a pool, the first one lowest.
  let code: UInt8

  /// The service's own order.
  static let ofService = PoolOrder(code: 0)

  private init(code: UInt8) { self.code = code }

  /// As ``HoldQueue/Entry/kind`` has it.
  init(kind: UInt8) { self.init(code: kind) }

  /// Nil: the service's own order.
  init(_ pools: [Pool]?) {
    self.init(code: (pools ?? []).reversed().reduce(0) { $0 << 2 | ($1 == .dedicated ? 1 : 2) })
  }

  /// The pools that it names; `own` where it is the service's own order.
  func pools(own: [Pool]) -> [Pool] {
    guard code != 0 else { return own }
    var pools: [Pool] = []
    var rest = code
    while rest != 0 {
      pools.append(rest & 3 == 1 ? .dedicated : .burst)
      rest >>= 2
    }
    return pools
  }
}
