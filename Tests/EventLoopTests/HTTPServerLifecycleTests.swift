import HTTPWire
import Synchronization
import Testing

@testable import EventLoop

@Suite(.timeLimit(.minutes(1))) struct HTTPServerLifecycleTests {
  @Test("hundreds of connections wait at once on one thread, and all are answered")
  func manyConnections() async throws {
    let gate = Gate()
    try await withServer { exchange in
      await gate.wait()
      try? await exchange.respond(status: 200, headers: [], body: Array(exchange.path.utf8))
    } client: { loopback in
      await withTaskGroup(of: Bool.self) { group in
        for number in 0..<400 {
          group.addTask {
            let answer = try? await loopback.call("GET", "/\(number)")
            return answer?.body == Array("/\(number)".utf8)
          }
        }
        while gate.waiting < 400 { await Task.yield() }
        gate.open()
        for await isRight in group { #expect(isRight) }
      }
      #expect(loopback.server.openConnections == 400)
      #expect(loopback.pool.idleConnections == 64)
      loopback.pool.closeIdle()
    }
  }

  @Test("connections beyond the bound wait until one closes")
  func maxConnections() async throws {
    try await withServer(
      .loopback {
        $0.maxConnections = 1
      }
    ) { exchange in
      try? await exchange.respond(status: 200, headers: [], body: [])
    } client: { loopback in
      let first = try await loopback.connect()
      try await first.send(head: RequestHeadBytes(method: "GET", target: "/", fields: FieldBlock([("Host", "a")])))
      _ = try await first.readHead(timeout: .seconds(5))
      let second = Task(executorPreference: loopback.loop) {
        try await loopback.pool.connect(to: loopback.address, key: "b", timeout: .seconds(5)).wholeAnswer()
      }
      try await loopback.loop.sleep(for: .milliseconds(10))
      #expect(loopback.server.openConnections == 1)
      first.close()
      #expect(try await second.value == 200)
    }
  }

  @Test("one client gets no more connections than its share")
  func connectionsPerClient() async throws {
    try await withServer(.loopback { $0.maxConnectionsPerClient = 2 }, handler: echo) { loopback in
      func use(_ key: String) async throws -> UpstreamConnection {
        let connection = try await loopback.pool.connect(to: loopback.address, key: key, timeout: .seconds(5))
        _ = try await connection.wholeAnswer()
        return connection
      }
      let first = try await use("a")
      _ = try await use("b")
      await #expect(throws: HTTPError.self) { _ = try await use("c") }
      first.close()
      while loopback.server.openConnections == 2 { await Task.yield() }
      _ = try await use("d")
    }
  }

  @Test("shutting down lets running requests finish, closes idle connections and takes no new ones")
  func gracefulShutdown() async throws {
    let gate = Gate()
    try await withServer { exchange in
      if exchange.path == "/slow" { await gate.wait() }
      try? await exchange.respond(status: 200, headers: [], body: [])
    } client: { loopback in
      _ = try await loopback.call("GET", "/")
      let slow = Task(executorPreference: loopback.loop) {
        let connection = try await loopback.pool.connect(to: loopback.address, key: "slow", timeout: .seconds(5))
        defer { loopback.pool.release(connection) }
        return try await connection.wholeAnswer("/slow")
      }
      while gate.waiting == 0 { await Task.yield() }
      let ending = Task(executorPreference: loopback.loop) { await loopback.server.shutDown(graceful: .seconds(30)) }
      while loopback.server.openConnections == 2 || loopback.pool.idleConnections > 0 { await Task.yield() }
      await #expect(throws: HTTPError.self) { _ = try await loopback.call("GET", "/") }
      gate.open()
      #expect(try await slow.value == 200)
      await ending.value
      #expect(loopback.server.openConnections == 0)
    }
  }

  @Test("what has not finished by the deadline is cut, and its handler told")
  func deadline() async throws {
    let started = Gate()
    let (stream, told) = AsyncStream.makeStream(of: Bool.self)
    try await withServer { exchange in
      exchange.onDisconnect { told.yield(true) }
      started.open()
      try? await exchange.loop.sleep(for: .seconds(3600))
    } client: { loopback in
      let request = Task(executorPreference: loopback.loop) { try await loopback.call("GET", "/") }
      await started.wait()
      await loopback.server.shutDown(graceful: .milliseconds(5))
      for await isTold in stream {
        #expect(isTold)
        break
      }
      await #expect(throws: HTTPError.self) { try await request.value }
    }
  }

  @Test(
    "an idle connection that its server closes, or whose replica goes, is not used again", arguments: [true, false])
  func pooling(evicts: Bool) async throws {
    try await withServer(handler: echo) { loopback in
      _ = try await loopback.call("GET", "/")
      #expect(loopback.pool.idleConnections == 1)
      if evicts { loopback.pool.evict(key: "server") } else { loopback.server.closeIdle() }
      while loopback.pool.idleConnections > 0 { await Task.yield() }
      #expect(try await loopback.call("GET", "/").isReused == false)

      let busy = try await loopback.connect()
      loopback.pool.evict(key: "server")
      #expect(try await busy.wholeAnswer() == 200)
      loopback.pool.release(busy)
      #expect(loopback.pool.idleConnections == 0)
    }
  }

  @Test("a refused connection names its address")
  func refusedConnection() async throws {
    try await withServer(handler: echo) { loopback in
      await loopback.server.shutDown(graceful: .zero)
      let error = await #expect(throws: HTTPError.self) { _ = try await loopback.connect() }
      #expect(error?.code == .connectFailed)
      #expect(error?.message.contains(loopback.address.description) == true)
    }
  }
}

extension UpstreamConnection {
  /// Sends a GET and reads its answer; returns the status.
  func wholeAnswer(_ target: String = "/") async throws -> Int {
    try await send(head: RequestHeadBytes(method: "GET", target: target, fields: FieldBlock([("Host", "a")])))
    let head = try await readHead(timeout: .seconds(5))
    _ = try await wholeBody()
    return head.status
  }
}

/// Lets tasks wait until it opens.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  var waiting: Int { state.withLock { $0.waiting.count } }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
