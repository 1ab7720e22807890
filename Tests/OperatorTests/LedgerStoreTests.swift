import Decisions
import KubernetesAPI
import KubernetesClient
import Testing

@testable import Operator

/// The ledger's books against an API server: conflicts, hand-over, deletion, retention.
@Suite(.timeLimit(.minutes(2))) struct LedgerStoreTests {
  @Test("A book is created, then replaced by resource version every five minutes, and only when something has changed")
  func writes() async throws {
    let desk = try LedgerDesk()
    let leader = desk.leader()
    try await desk.running(leader) {
      await desk.pass(2)
      desk.hear(leader, requests: 3)
      await desk.pass(295)
      #expect(desk.object(desk.bookName) == nil)
      await desk.pass(15)
      try desk.expect(requests: 3)
      let version = desk.object(desk.bookName)?.metadata.resourceVersion
      await desk.pass(400)
      #expect(desk.object(desk.bookName)?.metadata.resourceVersion == version)
      desk.hear(leader, requests: 8)
      await desk.pass(310)
      try desk.expect(requests: 8)
      #expect(desk.server.writes.count == 2)
    }
  }

  @Test(
    "Another writer in between (409): its book counts, what it has is not counted twice, and what it lacks is not lost")
  func conflict() async throws {
    try await LedgerDesk.leading { desk, leader in
      let other = desk.leader()
      // The other one has heard more of the same gateway, and writes first.
      try await desk.running(other) {
        await desk.pass(2)
        desk.hear(other, requests: 5)
        desk.hear(leader, requests: 4)
        await other.store.handOver()
      }
      try desk.expect(requests: 5)
      // The last write of this one was less than five minutes ago: it meets the other's when it is due.
      await desk.pass(320)
      #expect(desk.log.messages.contains { $0.contains("written by somebody else") })
      try desk.expect(requests: 5)
      desk.hear(leader, requests: 9)
      await desk.pass(340)
      try desk.expect(requests: 9)
    }
  }

  @Test("A book that somebody touched meanwhile is met once, not again and again")
  func conflictOnce() async throws {
    try await LedgerDesk.leading { desk, leader in
      try desk.touch(desk.bookName)
      desk.hear(leader, requests: 7)
      await desk.pass(340)
      try desk.expect(requests: 7)
      #expect(desk.log.messages.count { $0.contains("written by somebody else") } == 1)
    }
  }

  @Test("A book that cannot be read is left alone, said, counted, and asked for twice a minute at most")
  func unreadable() async throws {
    let desk = try LedgerDesk()
    let labels: JSONValue = [
      LedgerConfigMap.label: "book", LedgerConfigMap.dayLabel: .string(LedgerConfigMap.date(desk.today)),
      LedgerConfigMap.namespaceLabel: "team",
    ]
    try desk.put(desk.bookName, labels: labels, data: ["book.json": "{\"v\": 77}"])
    let leader = desk.leader()
    try await desk.running(leader) {
      await desk.pass(2)
      for second in 0..<120 {
        desk.hear(leader, requests: 3 + second)
        await desk.pass(5)
      }
      #expect(desk.object(desk.bookName)?.json[path: ["data", "book.json"]] == "{\"v\": 77}")
      let said = desk.log.messages.count { $0.contains("cannot be read") }
      #expect(said > 1 && said < 25, "\(said) times")
      #expect(desk.metrics.render().contains("pilotlight_ledger_failures_total"))
    }
  }

  @Test("Hand-over: everything is written before the Lease is given up, and the next leader counts on from there")
  func handOver() async throws {
    let desk = try LedgerDesk()
    let (first, second) = (desk.leader(), desk.leader())
    try await desk.running(first) {
      await desk.pass(2)
      desk.hear(first, requests: 3)
      await desk.pass(10)
      #expect(desk.object(desk.bookName) == nil)
      // What is asked of a leader that ends comes from a task that is cancelled already.
      await Task {
        withUnsafeCurrentTask { $0?.cancel() }
        await HandOver.run(desk.clock) { await first.store.handOver() }
      }.value
      try desk.expect(requests: 3)
    }
    try await desk.running(second) {
      await desk.pass(2)
      // The same gateway says all that it ever counted, as it does to a new reader.
      desk.hear(second, requests: 5)
      await desk.pass(310)
      try desk.expect(requests: 5)
      let total = try desk.book().models["llm"]?.totalCounts.requests
      #expect(total == 5)
    }
  }

  @Test("Hand-over takes no longer than it may, though the API server does not answer")
  func handOverIsBounded() async throws {
    let desk = try LedgerDesk()
    let done = Task { await HandOver.run(desk.clock) { try? await desk.clock.sleep(for: .seconds(3600)) } }
    await desk.clock.waitForSleepers(2)
    desk.clock.advance(by: HandOver.limit)
    await done.value
  }

  @Test("A book that a user deletes in the middle of the day is made anew with all of the day")
  func deleted() async throws {
    try await LedgerDesk.leading { desk, leader in
      try desk.delete(desk.bookName)
      desk.hear(leader, requests: 4)
      await desk.pass(340)
      try desk.expect(requests: 4)
    }
  }

  @Test("A day's book is deleted while no controller runs: the next one goes on from the day before, and counts again")
  func deletedWhileDown() async throws {
    let desk = try LedgerDesk()
    let (first, second) = (desk.leader(), desk.leader())
    try await desk.running(first) {
      await desk.pass(2)
      desk.hear(first, requests: 3)
      await desk.pass(310)
      desk.clock.advance(by: .seconds(50_000))
      desk.hear(first, requests: 10)
      await desk.pass(310)
      try desk.expect(requests: 10)
    }
    try desk.delete(desk.bookName)
    try desk.expect(requests: 3)
    try await desk.running(second) {
      await desk.pass(2)
      desk.hear(second, requests: 12)
      await desk.pass(310)
      try desk.expect(requests: 12)
    }
  }

  @Test(
    "Books past their retention are deleted, today's and all within it are kept, and odd names and labels are left alone"
  )
  func retention() async throws {
    let desk = try LedgerDesk()
    func labels(_ day: String) -> JSONValue {
      [LedgerConfigMap.label: "book", LedgerConfigMap.dayLabel: .string(day), LedgerConfigMap.namespaceLabel: "team"]
    }
    for age in [0, 1, 399, 400, 401, 402, 430] {
      let day = LedgerConfigMap.date(desk.today - age)
      try desk.put("book-\(age)", labels: labels(day), data: ["book.json": "{}"])
    }
    let old = LedgerConfigMap.date(desk.today - 410)
    try desk.put("book-410.3", labels: labels(old), data: [:])
    try desk.put("pilotlight-ledger.team.\(old)", labels: [:], data: [:])
    try desk.put("pilotlight-ledger.notes", labels: labels("yesterday"), data: [:])
    try desk.put("other", labels: [LedgerConfigMap.label: "draft", LedgerConfigMap.dayLabel: .string(old)], data: [:])
    let kept = [
      "book-0", "book-1", "book-399", "book-400", "pilotlight-ledger.team.\(old)", "pilotlight-ledger.notes", "other",
    ]
    let leader = desk.leader()
    try await desk.running(leader) {
      await desk.pass(5)
      for name in kept { #expect(desk.object(name) != nil, "\(name)") }
      for name in ["book-401", "book-402", "book-430", "book-410.3"] { #expect(desk.object(name) == nil, "\(name)") }
      // Once a day.
      desk.clock.advance(by: .seconds(86_400))
      await desk.pass(5)
      #expect(desk.object("book-400") == nil && desk.object("book-399") != nil)
    }
  }

  @Test("An API server that refuses writes is asked twice a minute, and nothing is lost")
  func refusals() async throws {
    let desk = try LedgerDesk()
    let faulty = FaultyTransport(desk.server)
    let leader = desk.leader(over: faulty)
    try await desk.running(leader) {
      await desk.pass(2)
      faulty.fail { $0.method == .get ? nil : .answer(.refusal(403, "Forbidden")) }
      desk.hear(leader, requests: 3)
      await desk.pass(600)
      let tries = faulty.requests.count { $0.method == .post }
      #expect((2...12).contains(tries), "\(tries)")
      faulty.fail(nil)
      await desk.pass(40)
      try desk.expect(requests: 3)
    }
  }
}
