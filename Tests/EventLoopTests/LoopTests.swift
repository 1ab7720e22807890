import Synchronization
import Testing

@testable import EventLoop

private actor Pinned {
  let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  init(loop: EventLoop) { self.loop = loop }

  func isOnLoop() -> Bool { loop.isCurrent }
}

/// The numbers handed over by each thread, which must come one after the other.
private final class HandoverOrder: Sendable {
  private let numbers = Mutex([Int: Int]())

  var last: [Int: Int] { numbers.withLock { $0 } }

  func note(_ number: Int, from thread: Int) {
    let previous = numbers.withLock { $0.updateValue(number, forKey: thread) }
    #expect((previous ?? -1) == number - 1)
  }
}

@Suite struct LoopTests {
  private func withLoop<Result: Sendable>(
    _ body: @escaping @Sendable (EventLoop) async throws -> Result
  ) async throws -> Result {
    let loop = try EventLoop(name: "test")
    loop.start()
    defer { loop.stop() }
    return try await Task(executorPreference: loop) { try await body(loop) }.value
  }

  @Test("tasks, closures, timers and pinned actors run on the loop's thread, and nothing else does")
  func placement() async throws {
    let outside = try await withLoop { loop in
      #expect(loop.isCurrent)
      await Task.yield()
      #expect(loop.isCurrent)
      #expect(await Pinned(loop: loop).isOnLoop())
      #expect(loop.isCurrent)
      try await loop.sleep(for: .milliseconds(1))
      #expect(loop.isCurrent)
      await withCheckedContinuation { continuation in
        loop.execute {
          #expect(loop.isCurrent)
          _ = loop.schedule(after: .zero) { continuation.resume() }
        }
      }
      #expect(loop.isCurrent)
      return await Task.detached { (loop.isCurrent, await Pinned(loop: loop).isOnLoop()) }.value
    }
    #expect(outside == (false, true))
  }

  @Test("a sleep ends early when its task is cancelled, before or while it sleeps", arguments: [true, false])
  func cancellation(before: Bool) async throws {
    try await withLoop { loop in
      let task = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(3600)) }
      if !before { for _ in 0..<10 { await Task.yield() } }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  @Test("work handed over by many threads is all done, in each thread's order")
  func handover() async throws {
    try await withLoop { loop in
      let order = HandoverOrder()
      await withTaskGroup(of: Void.self) { group in
        for thread in 0..<4 {
          group.addTask {
            await Task.detached {
              for number in 0..<1000 { loop.execute { order.note(number, from: thread) } }
            }.value
            await withCheckedContinuation { continuation in loop.execute { continuation.resume() } }
          }
        }
      }
      #expect(order.last == [0: 999, 1: 999, 2: 999, 3: 999])
    }
  }

  @Test("stopping a loop resumes what waits on it")
  func stopping() async throws {
    let loop = try EventLoop(name: "test")
    loop.start()
    let server = HTTPServer(
      loop: loop, configuration: HTTPServerConfiguration(address: try SocketAddress(parsing: "127.0.0.1:0"))
    ) { _ in }
    let address = try server.start()
    let reader = Task(executorPreference: loop) {
      let connection = try await UpstreamPool(loop: loop).connect(to: address, key: "a", timeout: .seconds(5))
      loop.execute { loop.stop() }
      _ = try await connection.readHead(timeout: .seconds(3600))
    }
    let sleeper = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(3600)) }
    await #expect(throws: HTTPError.self) { try await reader.value }
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    // Who comes too late is told, not left waiting.
    let late = Task(executorPreference: loop) {
      #expect(loop.isCurrent)
      await #expect(throws: HTTPError.self) {
        _ = try await UpstreamPool(loop: loop).connect(to: address, key: "a", timeout: .seconds(5))
      }
      try await loop.sleep(for: .seconds(3600))
    }
    await #expect(throws: CancellationError.self) { try await late.value }
  }

  @Test(
    "addresses are read and written as text",
    arguments: ["127.0.0.1:80", "[::1]:8080", "[fe80::1:2]:0", "255.255.255.255:65535"])
  func addresses(text: String) throws {
    #expect(try SocketAddress(parsing: text).description == text)
  }

  @Test(
    "what is not an address is refused by name",
    arguments: [
      "", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[127.0.0.1]:80", "1.2.3:80",
      "[::1]", ":80", "127.0.0.1:-1", "127.0.0.1:+1",
    ])
  func refusals(text: String) {
    let error = #expect(throws: HTTPError.self) { try SocketAddress(parsing: text) }
    #expect(error?.message.contains("'\(text)'") == true)
  }
}
