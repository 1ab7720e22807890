import Testing

@testable import ControllerRuntime

@Suite struct WorkQueueMachineTests {
  private func machine() -> WorkQueueMachine<String> {
    WorkQueueMachine(backoff: ExponentialBackoff(base: .seconds(1), maximum: .seconds(60)), seed: 1)
  }

  @Test("keys come in the order they were added, each once")
  func dedupes() {
    var queue = machine()
    for key in ["b", "a", "b", "c", "a"] { queue.add(key) }
    #expect([queue.take(now: .zero), queue.take(now: .zero), queue.take(now: .zero)] == ["b", "a", "c"])
    #expect(queue.take(now: .zero) == nil)
  }

  @Test("a key added while it is worked on comes once more, after that work and not beside it")
  func dirtyWhileProcessing() {
    var queue = machine()
    queue.add("a")
    #expect(queue.take(now: .zero) == "a")
    queue.add("a")
    queue.add("a")
    #expect(queue.take(now: .zero) == nil)
    queue.finish("a", .done, now: .zero)
    #expect(queue.take(now: .zero) == "a")
    queue.finish("a", .done, now: .zero)
    #expect(queue.take(now: .zero) == nil)
  }

  @Test("conflicts in a row wait longer, too: somebody may fight for the same fields")
  func conflicts() {
    var queue = machine()
    queue.add("a")
    _ = queue.take(now: .zero)
    queue.finish("a", .conflicted, now: .zero)
    #expect(queue.failureCount("a") == 1)
    #expect(queue.take(now: .milliseconds(499)) == nil)
    #expect(queue.take(now: .seconds(1)) == "a")
    queue.finish("a", .conflicted, now: .seconds(1))
    #expect(queue.take(now: .seconds(2) - .milliseconds(1)) == nil)
  }

  @Test("failures in a row wait longer, and success forgets them")
  func backsOff() {
    var queue = machine()
    var now: Duration = .zero
    queue.add("a")
    for failure in 1...8 {
      #expect(queue.take(now: now) == "a")
      queue.finish("a", .retry(reason: "x"), now: now)
      #expect(queue.failureCount("a") == failure)
      let full = min(Duration.seconds(60), .seconds(1 << (failure - 1)))
      let deadline = queue.nextDeadline() ?? .zero
      #expect(deadline - now >= full * 0.5 && deadline - now <= full)
      #expect(queue.take(now: deadline - .nanoseconds(1)) == nil)
      now = deadline
    }
    #expect(queue.take(now: now) == "a")
    queue.finish("a", .done, now: now)
    #expect(queue.failureCount("a") == 0)
    #expect(queue.nextDeadline() == nil)
  }

  @Test("a newer outcome replaces what an older one asked for; a wish from outside stays")
  func requeues() {
    var queue = machine()
    queue.add("a")
    _ = queue.take(now: .zero)
    queue.finish("a", .again(after: .seconds(5)), now: .zero)
    queue.add("a")
    _ = queue.take(now: .seconds(1))
    queue.finish("a", .done, now: .seconds(1))
    #expect(queue.nextDeadline() == nil)

    queue.add("a", after: .seconds(9), now: .seconds(1))
    queue.add("a", after: .seconds(3), now: .seconds(1))
    queue.add("a", after: .seconds(7), now: .seconds(1))
    #expect(queue.nextDeadline() == .seconds(4))
    #expect(queue.take(now: .seconds(4)) == "a")
    queue.finish("a", .done, now: .seconds(4))
    #expect(queue.nextDeadline() == nil)
  }

  @Test(
    "no key is ever taken twice at once, none is lost, whatever the order of events", arguments: 0..<50 as Range<UInt64>
  )
  func randomised(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var queue = WorkQueueMachine<Int>(backoff: .init(base: .seconds(1), maximum: .seconds(8)), seed: seed)
    var now: Duration = .zero
    var processing: Set<Int> = []
    var owed: Set<Int> = []
    for _ in 0..<500 {
      now += .milliseconds(Int.random(in: 0...400, using: &generator))
      let key = Int.random(in: 0..<6, using: &generator)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0:
        queue.add(key)
        owed.insert(key)
      case 1:
        queue.add(key, after: .milliseconds(Int.random(in: 0...3000, using: &generator)), now: now)
        owed.insert(key)
      case 2:
        guard let taken = queue.take(now: now) else { continue }
        #expect(processing.insert(taken).inserted)
        owed.remove(taken)
      default:
        guard let done = processing.randomElement(using: &generator) else { continue }
        processing.remove(done)
        queue.finish(done, Bool.random(using: &generator) ? .done : .retry(reason: "x"), now: now)
      }
    }
    for key in processing { queue.finish(key, .done, now: now) }
    for _ in 0..<100 {
      while let key = queue.take(now: now) {
        owed.remove(key)
        queue.finish(key, .done, now: now)
      }
      guard let deadline = queue.nextDeadline() else { break }
      now = deadline
    }
    #expect(owed.isEmpty)
    #expect(queue.nextDeadline() == nil && queue.readyCount == 0 && queue.processingCount == 0)
  }
}

@Suite struct DeadlineHeapTests {
  @Test("keys come due by their last deadline, in order", arguments: 0..<20 as Range<UInt64>)
  func order(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var heap = DeadlineHeap<Int>()
    var truth: [Int: Duration] = [:]
    for _ in 0..<400 {
      let key = Int.random(in: 0..<40, using: &generator)
      if Int.random(in: 0..<5, using: &generator) == 0 {
        heap.remove(key)
        truth[key] = nil
      } else {
        let deadline = Duration.milliseconds(Int.random(in: 0..<1000, using: &generator))
        heap.set(key, deadline)
        truth[key] = deadline
      }
      #expect(heap.next() == truth.values.min())
    }
    let due = heap.popDue(.milliseconds(500))
    let expected = truth.filter { $0.value <= .milliseconds(500) }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
    #expect(due == expected.map(\.key))
    #expect(heap.count == truth.count - due.count)
  }
}
