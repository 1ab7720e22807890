/// In which order a request tries the pools. There are few such orders, so that one is a small number in a queue.
struct PoolOrder: Hashable, Sendable {
  /// Its place in ``all``, as ``HoldQueue/Entry/kind`` has it; 0: the service's own order.
  let code: UInt8

  /// The service's own order.
  static let ofService = PoolOrder(kind: 0)

  /// All orders there are; the first stands for the service's own.
  private static let all: [[Pool]] = [[], [.dedicated], [.burst], [.dedicated, .burst], [.burst, .dedicated]]

  /// All kinds of places that a request may wait for.
  static let kinds = 0..<UInt8(all.count)

  init(kind: UInt8) { code = kind }

  /// Nil: the service's own order.
  init(_ pools: [Pool]?) { code = UInt8(pools.flatMap { Self.all.firstIndex(of: $0) } ?? 0) }

  /// The pools that it names; `own` where it is the service's own order.
  func pools(own: [Pool]) -> [Pool] { code == 0 ? own : Self.all[Int(code)] }
}
