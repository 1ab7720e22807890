import HTTPWire
import Testing

@testable import EventLoop

/// A server that answers whatever it is sent with fixed bytes.
private func withCannedServer(
  _ answer: String, closes: Bool, client: @escaping @Sendable (UpstreamPool, SocketAddress) async throws -> Void
) async throws {
  let loop = try EventLoop(name: "test")
  loop.start()
  defer { loop.stop() }
  let (descriptor, address) = try Socket.listen(
    on: try SocketAddress(parsing: "127.0.0.1:0"), backlog: 16, reusePort: false)
  try await Task(executorPreference: loop) {
    let listener = try Listener(descriptor: descriptor, loop: loop) {
      while case .connection(let peer, _) = Socket.accept(descriptor) {
        Task(executorPreference: loop) {
          let channel = try ByteChannel(
            loop: loop, descriptor: peer, tls: nil, isConnected: true, writeTimeout: .seconds(5))
          try await channel.waitReadable(until: nil)
          _ = try channel.receive()
          channel.enqueue { $0.append(contentsOf: answer.utf8) }
          try await channel.waitDrained()
          if closes { channel.endSending() }
          while case .wouldBlock = try channel.receive() { try await channel.waitReadable(until: nil) }
          channel.close()
        }
      }
    }
    try await client(UpstreamPool(loop: loop), address)
    listener.close()
  }.value
}

@Suite(.timeLimit(.minutes(1))) struct UpstreamTests {
  @Test(
    "a response's body ends where its framing says, and the connection is kept when that is allowed",
    arguments: [
      ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false, "ab", true),
      (
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
        false,
        "ab", true
      ),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n", false, "ab", true),
      ("HTTP/1.1 204 No Content\r\n\r\n", false, "", true), ("HTTP/1.1 200 OK\r\n\r\nab", true, "ab", false),
      ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab", false, "ab", false),
      ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", false, "ab", false),
      ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\r\n", false, "ab", false),
    ])
  func bodies(answer: String, closes: Bool, body: String, isKept: Bool) async throws {
    try await withCannedServer(answer, closes: closes) { pool, address in
      let connection = try await pool.connect(to: address, key: "a", timeout: .seconds(5))
      try await connection.send(
        head: RequestHeadBytes(method: "GET", target: "/", fields: FieldBlock([("Host", "a")])))
      _ = try await connection.readHead(timeout: .seconds(5))
      #expect(String(decoding: try await connection.wholeBody(), as: UTF8.self) == body)
      pool.release(connection)
      #expect(pool.idleConnections == (isKept ? 1 : 0))
    }
  }

  @Test(
    "a response that is cut, malformed or never comes is an error with its cause",
    arguments: [
      ("", true, .disconnected), ("HTTP/1.1 200", true, .disconnected), ("", false, .timedOut),
      ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true, .disconnected),
      ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false, .timedOut),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", true, .disconnected),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", false, .malformed),
      ("nonsense\r\n\r\n", false, .malformed),
      ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", false, .malformed),
    ] as [(String, Bool, HTTPError.Code)])
  func failures(answer: String, closes: Bool, code: HTTPError.Code) async throws {
    try await withCannedServer(answer, closes: closes) { pool, address in
      let patience: Duration = code == .timedOut ? .milliseconds(50) : .seconds(5)
      let error = await #expect(throws: HTTPError.self) {
        let connection = try await pool.connect(to: address, key: "a", timeout: .seconds(5))
        try await connection.send(
          head: RequestHeadBytes(method: "GET", target: "/", fields: FieldBlock([("Host", "a")])))
        _ = try await connection.readHead(timeout: patience)
        while try await connection.readBody(idleTimeout: patience) != nil {}
      }
      #expect(error?.code == code)
      #expect(pool.idleConnections == 0)
    }
  }

  @Test("idle connections are closed after the idle timeout, and the last used is used first")
  func idleness() async throws {
    try await withServer(handler: echo) { loopback in
      let pool = UpstreamPool(loop: loopback.loop, idleTimeout: .milliseconds(30))
      let first = try await pool.connect(to: loopback.address, key: "a", timeout: .seconds(5))
      let second = try await pool.connect(to: loopback.address, key: "a", timeout: .seconds(5))
      for connection in [first, second] {
        _ = try await connection.wholeAnswer()
        pool.release(connection)
      }
      let again = try await pool.connect(to: loopback.address, key: "a", timeout: .seconds(5))
      #expect(again === second && again.isReused)
      while pool.idleConnections > 0 { try await loopback.loop.sleep(for: .milliseconds(1)) }
      // In use, it outlives the timeout.
      try await loopback.loop.sleep(for: .milliseconds(40))
      #expect(try await again.wholeAnswer() == 200)
      again.close()
    }
  }

  @Test("a body that does not keep to its announced length is refused on our side")
  func misuse() async throws {
    try await withServer(handler: echo) { loopback in
      func begin(_ framing: BodyFraming) async throws -> UpstreamConnection {
        let connection = try await loopback.pool.connect(to: loopback.address, key: "x", timeout: .seconds(5))
        try await connection.send(
          head: RequestHeadBytes(
            method: "POST", target: "/", fields: FieldBlock([("Host", "a")]), framing: framing))
        return connection
      }
      let long = try await begin(.length(1))
      await #expect(throws: HTTPError.self) { try await long.sendBody([1, 2]) }
      long.close()
      let short = try await begin(.length(2))
      try await short.sendBody([1])
      await #expect(throws: HTTPError.self) { try await short.finishBody() }
      let none = try await begin(.none)
      await #expect(throws: HTTPError.self) { try await none.sendBody([1]) }
      none.close()
      #expect(loopback.pool.idleConnections == 0)
    }
  }
}
