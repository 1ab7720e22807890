/// Requests drawn from the rates of clients, in order of time. A client's draws depend on the seed and its name only: it has the
/// same requests whoever else is in the file.
struct RateArrivals {
  /// Draws one client's requests, one bin after the other. The gaps of a bin are drawn twice, for their sum and for
  /// themselves, so that none is held.
  private struct Client {
    let model: Int32
    let bins: [RateBin]
    var random: ArrivalRandom
    var nextBin = 0
    var start: Int64 = 0
    var shape = GapShape.exponential
    var left: Int64 = 0
    var number: Int64 = 0
    var count: Int64 = 0
    var elapsed = 0.0
    var total = 0.0

    init(model: Int32, bins: [RateBin], random: ArrivalRandom) {
      self.model = model
      self.bins = bins
      self.random = random
    }

    /// When the next request comes.
    mutating func next() -> Int64? {
      while left == 0 {
        guard nextBin < bins.count else { return nil }
        begin(bins[nextBin])
        nextBin += 1
      }
      left -= 1
      number += 1
      elapsed += shape.draw(&random)
      // Gaps of a very small shape may all be 0: then they are all the same.
      let part = total > 0 && total.isFinite ? elapsed / total : Double(number) / Double(count + 1)
      return start + min(RateBin.width - 1, Int64(Double(RateBin.width) * min(1, part)))
    }

    private mutating func begin(_ bin: RateBin) {
      (start, shape, elapsed, total, number) = (bin.start, bin.shape, 0, 0, 0)
      count = bin.count(&random)
      left = count
      var ahead = random
      for _ in 0..<count + 1 where count > 0 { total += shape.draw(&ahead) }
    }
  }

  private var clients: [Client] = []
  private var heap = EventHeap<Int32>()

  /// - Parameters:
  ///   - names: of the clients, as their draws depend on them.
  ///   - maxRate: bins of a higher rate are left out, and clients that have no other; nil: none is.
  init(_ bins: [[RateBin]], names: [String], maxRate: Double?, seed: UInt64) {
    for (index, all) in bins.enumerated() {
      let bins = maxRate.map { most in all.filter { $0.rate <= most } } ?? all
      if bins.isEmpty { continue }
      let key = Array(names[index].utf8).withUnsafeBufferPointer { ModelTable.hash($0) }
      clients.append(
        Client(
          model: Int32(index), bins: bins,
          random: ArrivalRandom(seed: mixed(seed, UInt64(truncatingIfNeeded: key), 0))))
    }
    for index in clients.indices { advance(index) }
  }

  var clientCount: Int { clients.count }

  mutating func next() -> TraceRequest? {
    guard let first = heap.popFirst() else { return nil }
    let index = Int(first.event)
    advance(index)
    return TraceRequest(timeMicroseconds: first.time, model: clients[index].model)
  }

  private mutating func advance(_ index: Int) {
    guard let time = clients[index].next() else { return }
    // Of requests at one moment, the client that stands first in the file has its first.
    heap.add(Int32(index), at: time, order: Int64(index))
  }
}
