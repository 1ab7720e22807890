import HTTPWire
import Synchronization
import Testing

@testable import EventLoop

@Suite(.timeLimit(.minutes(1))) struct HTTPServerTests {
  @Test("a request is answered, and its connection used again", arguments: ["GET", "POST", "HEAD"])
  func keepAlive(method: String) async throws {
    try await withServer(handler: echo) { loopback in
      let body = method == "POST" ? Array("hello".utf8) : nil
      for round in 0..<3 {
        let answer = try await loopback.call(method, "/a?b=c", body: body)
        #expect(answer.head.status == 200)
        #expect(answer.head.headers.first("x-path") == "/a")
        #expect(answer.body == body ?? [])
        #expect(answer.isReused == (round > 0))
      }
      #expect(loopback.pool.idleConnections == 1)
      #expect(loopback.server.openConnections == 1)
    }
  }

  @Test("a large body passes in both directions, whichever its framing", arguments: [true, false])
  func largeBodies(isChunked: Bool) async throws {
    try await withServer(handler: echo) { loopback in
      let body = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
      let connection = try await loopback.connect()
      let head = RequestHeadBytes(
        method: "POST", target: "/", fields: FieldBlock([("Host", "test")]),
        framing: isChunked ? .chunked : .length(body.count))
      let sender = Task(executorPreference: loopback.loop) {
        try await connection.send(head: head)
        for start in stride(from: 0, to: body.count, by: 300_000) {
          // An answer that begins early does not mean that the rest is unwanted here: go on, but let others run.
          while try await !connection.sendBody(Array(body[start..<min(start + 300_000, body.count)])) {
            await Task.yield()
            break
          }
        }
        try await connection.finishBody()
      }
      let answer = try await connection.readHead(timeout: .seconds(5))
      #expect(answer.framing == (isChunked ? .chunked : .length(body.count)))
      #expect(try await connection.wholeBody() == body)
      try await sender.value
      loopback.pool.release(connection)
      #expect(loopback.pool.idleConnections == 1)
    }
  }

  @Test("a server does not read a body faster than its handler, nor queue more than a bound for a slow client")
  func backPressure() async throws {
    let progress = Progress()
    let piece = [UInt8](repeating: 1, count: 100_000)
    try await withServer { exchange in
      do {
        try await exchange.startResponse(status: 200, headers: [], contentLength: nil)
        while true {
          try await exchange.write(piece)
          progress.note(written: piece.count, queued: exchange.connection.channel.queued)
        }
      } catch {
        exchange.abort()
      }
    } client: { loopback in
      let connection = try await loopback.connect()
      try await connection.send(
        head: RequestHeadBytes(method: "GET", target: "/", fields: FieldBlock([("Host", "test")])))
      _ = try await connection.readHead(timeout: .seconds(5))
      // The client reads nothing: the writer must come to a stand once the sockets' buffers are full.
      var last = -1
      while true {
        try await loopback.loop.sleep(for: .milliseconds(20))
        let written = progress.written
        if written == last { break }
        last = written
      }
      #expect(progress.mostQueued <= ByteChannel.highWater + piece.count)
      #expect(last < 64_000_000)
      // Reading frees it.
      var received = 0
      while received < last + 10_000_000 {
        received += try #require(try await connection.readBody(idleTimeout: .seconds(5))).count
      }
      connection.close()
    }
  }

  @Test("a client that takes nothing is let go after the write timeout")
  func writeStall() async throws {
    let (stream, ended) = AsyncStream.makeStream(of: HTTPError.Code?.self)
    try await withServer(.loopback { $0.writeTimeout = .milliseconds(30) }) { exchange in
      do {
        try await exchange.startResponse(status: 200, headers: [], contentLength: nil)
        while true { try await exchange.write([UInt8](repeating: 1, count: 100_000)) }
      } catch {
        ended.yield((error as? HTTPError)?.code)
      }
    } client: { loopback in
      let connection = try await loopback.connect()
      try await connection.send(
        head: RequestHeadBytes(method: "GET", target: "/", fields: FieldBlock([("Host", "test")])))
      var code: HTTPError.Code?
      for await ending in stream {
        code = ending
        break
      }
      #expect(code == .timedOut)
      connection.close()
    }
  }

  @Test("pipelined requests are answered in order, their bodies kept apart, whatever the packets")
  func pipelining() async throws {
    let request = Array(
      ("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        + "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"
        + "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nignored").utf8)
    let expected =
      "HTTP/1.1 200 OK\r\nX-Path: /1\r\nContent-Length: 3\r\n\r\nabc"
      + "HTTP/1.1 200 OK\r\nX-Path: /2\r\nContent-Length: 3\r\n\r\ndef"
      + "HTTP/1.1 200 OK\r\nX-Path: /3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    try await withServer { exchange in
      do {
        let body = try await exchange.readWholeBody(limit: 100)
        try await exchange.respond(status: 200, headers: [("X-Path", exchange.path)], body: body)
      } catch {
        exchange.abort()
      }
    } client: { loopback in
      let whole = try await loopback.exchangeRaw([request])
      #expect(whole == expected)
      let trickled = try await loopback.exchangeRaw(request.map { [$0] })
      #expect(trickled == expected)
    }
  }

  @Test(
    "what is no request is refused, and the connection closed",
    arguments: [
      ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "), ("\u{16}\u{3}\u{1}\r\n\r\n", "HTTP/1.1 400 "),
      ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 70_000))", "HTTP/1.1 431 "),
      ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz", "HTTP/1.1 400 "),
      ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505 "),
    ])
  func refusals(request: String, expected: String) async throws {
    try await withServer { exchange in
      do {
        _ = try await exchange.readWholeBody(limit: 100)
        try await exchange.respond(status: 200, headers: [], body: [])
      } catch {
        try? await exchange.respond(status: 400, headers: [], body: [])
      }
    } client: { loopback in
      let answer = try await loopback.exchangeRaw([Array((request + "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").utf8)])
      #expect(answer.hasPrefix(expected))
      #expect(answer.contains("Connection: close\r\n"))
      #expect(answer.split(separator: "HTTP/1.1 ").count == 1)
    }
  }

  @Test(
    "the answer's framing suits the request",
    arguments: [
      (
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close", 200,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n0\r\n\r\n"
      ),
      ("GET / HTTP/1.0", 200, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab"),
      (
        "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close", 200,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      ),
      ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close", 204, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
      ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close", 304, "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"),
    ])
  func framing(request: String, status: Int, expected: String) async throws {
    try await withServer { exchange in
      do {
        try await exchange.startResponse(status: status, headers: [], contentLength: nil)
        try await exchange.write(Array("ab".utf8))
        try await exchange.finish()
      } catch {
        Issue.record("\(error)")
      }
    } client: { loopback in
      let answer = try await loopback.exchangeRaw([Array((request + "\r\n\r\n").utf8)])
      #expect(answer == expected)
    }
  }

  @Test("a client that waits for 100 (Continue) gets it when, and only if, its body is read", arguments: [true, false])
  func expectContinue(reads: Bool) async throws {
    try await withServer { exchange in
      if reads { _ = try? await exchange.readWholeBody(limit: 10) }
      try? await exchange.respond(status: 200, headers: [], body: [])
    } client: { loopback in
      let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
      let end = "ab" + (reads ? "GET / HTTP/1.0\r\n\r\n" : "")
      let answer = try await loopback.exchangeRaw([Array(head.utf8), Array(end.utf8)])
      #expect(
        answer
          == (reads
            ? "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
              + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    }
  }

  @Test("an answer before the body's end is not lost, and a short body is drained", arguments: [1000, 2_000_000])
  func earlyAnswer(count: Int) async throws {
    try await withServer { exchange in
      try? await exchange.respond(status: 413, headers: [], body: Array("no".utf8))
    } client: { loopback in
      let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n"
      let body = [UInt8](repeating: 97, count: count)
      let next = Array("GET / HTTP/1.0\r\n\r\n".utf8)
      let answer = try await loopback.exchangeRaw([Array(head.utf8), body, next])
      #expect(answer.hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
      #expect(answer.split(separator: "HTTP/1.1 413").count == (count == 1000 ? 2 : 1))
    }
  }

  @Test("a handler learns at once that its client has gone, though it neither reads nor writes")
  func disconnection() async throws {
    let (stream, told) = AsyncStream.makeStream(of: Bool.self)
    try await withServer { exchange in
      await withCheckedContinuation { continuation in exchange.onDisconnect { continuation.resume() } }
      told.yield(exchange.isDisconnected)
      exchange.abort()
    } client: { loopback in
      let connection = try await loopback.connect()
      try await connection.send(
        head: RequestHeadBytes(method: "GET", target: "/", fields: FieldBlock([("Host", "test")])))
      let reader = Task(executorPreference: loopback.loop) { try await connection.readHead(timeout: .seconds(60)) }
      for _ in 0..<10 { await Task.yield() }
      // Cancelling whoever waits for the answer ends the request at its server.
      reader.cancel()
      await #expect(throws: CancellationError.self) { try await reader.value }
      for await isDisconnected in stream {
        #expect(isDisconnected)
        break
      }
    }
  }

  @Test("a response that its handler leaves unfinished is cut, one it never starts is a 500", arguments: [true, false])
  func unfinished(starts: Bool) async throws {
    try await withServer { exchange in
      guard starts else { return }
      try? await exchange.startResponse(status: 200, headers: [], contentLength: nil)
      try? await exchange.write(Array("partial".utf8))
      exchange.connection.channel.flush()
    } client: { loopback in
      if starts {
        let error = await #expect(throws: HTTPError.self) { _ = try await loopback.call("GET", "/") }
        #expect(error?.code == .disconnected)
      } else {
        let answer = try await loopback.call("GET", "/")
        #expect(answer.head.status == 500)
      }
    }
  }

  @Test("slow heads, idle connections and bodies that stall end by their timeouts")
  func timeouts() async throws {
    try await withServer(
      .loopback {
        $0.headTimeout = .milliseconds(30)
        $0.idleTimeout = .milliseconds(30)
        $0.bodyTimeout = .milliseconds(30)
      }
    ) { exchange in
      do {
        _ = try await exchange.readWholeBody(limit: 100)
        try await exchange.respond(status: 200, headers: [], body: [])
      } catch {
        try? await exchange.respond(status: 408, headers: [], body: [])
      }
    } client: { loopback in
      let silent = try await loopback.exchangeRaw([])
      #expect(silent == "")
      let slow = try await loopback.exchangeRaw([Array("GET / HT".utf8)])
      #expect(slow.hasPrefix("HTTP/1.1 408 "))
      let stalled = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"
      let unfinished = try await loopback.exchangeRaw([Array(stalled.utf8)])
      #expect(unfinished.hasPrefix("HTTP/1.1 408 "))
    }
  }
}

/// What a writer has got rid of.
private final class Progress: Sendable {
  private let state = Mutex((written: 0, mostQueued: 0))

  var written: Int { state.withLock { $0.written } }
  var mostQueued: Int { state.withLock { $0.mostQueued } }

  func note(written: Int, queued: Int) {
    state.withLock {
      $0.written += written
      $0.mostQueued = max($0.mostQueued, queued)
    }
  }
}
