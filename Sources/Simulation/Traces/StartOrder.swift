/// Puts rows that come in the order of their ends into the order of their starts, with bounded memory.
///
/// A row is given once the log is ``window`` past its start: then no request can follow that started earlier, unless it took
/// longer than the window. Such a row is refused.
struct StartOrder {
  /// An hour: longer than a gateway lets a request take by default, in microseconds.
  static let window: Int64 = 3_600_000_000
  /// With more rows waiting, the earliest is given before its hour is over: 4 M rows, some 260 MB.
  static let mostRows = 4_000_000
  /// The requests for which a sampled row stands follow it within a minute, in microseconds.
  static let mostSpread: Int64 = 60_000_000

  private struct Waiting {
    var request: TraceRequest
    /// Requests that follow it, and how far apart.
    var more: Int64 = 0
    var step: Int64 = 0
  }

  private let window: Int64
  private let mostRows: Int
  private var heap = EventHeap<Waiting>()
  private var count = 0
  private var latestEnd: Int64 = 0
  private var given: Int64 = 0
  private var isEnded = false
  /// By model, where rows have weights: when the row before came; -1: there was none.
  private var previous: [Int64] = []

  init(window: Int64 = StartOrder.window, mostRows: Int = StartOrder.mostRows) {
    self.window = window
    self.mostRows = mostRows
  }

  mutating func add(_ row: RequestLogRows.Row) throws(RowProblem) {
    let time = row.request.timeMicroseconds
    guard time >= given else {
      throw RowProblem(
        "it started \(Double(given - time) / 1e6) s before a row that was already replayed; a row must stand within "
          + "\(window / 1_000_000) s (and \(mostRows) rows) of those that started with it: sort the log by timeUnix")
    }
    latestEnd = max(latestEnd, row.end)
    heap.add(Waiting(request: row.request, more: row.weight - 1, step: -1), at: time)
    count += 1
  }

  mutating func end() { isEnded = true }

  /// The earliest request that none can precede any more.
  mutating func next() -> TraceRequest? {
    guard count > 0, isEnded || count > mostRows || heap.firstTime <= latestEnd - window,
      var first = heap.popFirst()?.event
    else { return nil }
    given = first.request.timeMicroseconds
    if first.step < 0 { first.step = step(first) }
    guard first.more > 0 else {
      count -= 1
      return first.request
    }
    let request = first.request
    first.more -= 1
    first.request.timeMicroseconds += first.step
    heap.add(first, at: first.request.timeMicroseconds)
    return request
  }

  /// How far apart the requests are for which a row stands: they fill the time since the model's row before, a minute at most;
  /// those of its first row come at once.
  private mutating func step(_ row: Waiting) -> Int64 {
    let model = Int(row.request.model)
    let time = row.request.timeMicroseconds
    if previous.count <= model { previous += [Int64](repeating: -1, count: model + 1 - previous.count) }
    defer { previous[model] = time }
    guard row.more > 0, previous[model] >= 0 else { return 0 }
    return min(time - previous[model], Self.mostSpread) / (row.more + 1)
  }
}
