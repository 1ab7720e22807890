/// A request as a replica sees it.
struct PendingRequest: Sendable {
  var arrival: Int64
  var duration: Int64
  var promptTokens: Int32
  var outputTokens: Int32
  @inline(__always)
  init(_ request: TraceRequest) {
    arrival = request.timeMicroseconds
    duration = request.durationMicroseconds
    promptTokens = request.promptTokens
    outputTokens = request.outputTokens
  }
}

/// Requests that wait, oldest first.
struct PendingQueue: Sendable {
  private var items: [PendingRequest] = []
  private var head = 0

  @inline(__always)
  var count: Int { items.count - head }
  @inline(__always)
  var isEmpty: Bool { head == items.count }

  mutating func append(_ request: PendingRequest) { items.append(request) }

  mutating func popFirst() -> PendingRequest? {
    guard head < items.count else { return nil }
    let first = items[head]
    head += 1
    // Half of the array is spent: move the rest down, so that memory follows the queue and not the trace.
    if head > 32, head * 2 > items.count {
      items.removeFirst(head)
      head = 0
    } else if head == items.count {
      items.removeAll(keepingCapacity: true)
      head = 0
    }
    return first
  }
}
