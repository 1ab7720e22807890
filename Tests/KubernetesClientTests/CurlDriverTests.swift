import EventLoop
import KubernetesClient
import Synchronization
import Testing

@testable import CurlTransport

@Suite(.timeLimit(.minutes(1))) struct CurlDriverTests {
  @Test(
    "a request arrives as it was meant, and its answer comes back whole", arguments: [false, true],
    [("GET", 0), ("POST", 3), ("POST", 0), ("PUT", 300_000), ("PATCH", 10), ("DELETE", 0), ("DELETE", 9)])
  func echo(encrypted: Bool, request: (method: String, bytes: Int)) async throws {
    let server = try LoopbackServer(encrypted: encrypted) { exchange in
      do {
        let body = try await exchange.readWholeBody(limit: 1 << 20)
        let headers = ["x-a", "content-type", "expect"].map { exchange.headers.first($0) ?? "-" }
        let line = "\(exchange.method) \(exchange.target) \(headers.joined(separator: ",")) \(body.count)"
        try await exchange.respond(status: 201, headers: [("X-B", " b ")], body: Array(line.utf8))
      } catch { exchange.abort() }
    }
    let driver = try CurlDriver()
    let (head, body) = try await driver.send(
      CurlRequest(
        method: request.method, url: "\(server.url)/p?q=1", headers: [("X-A", "a")],
        body: [UInt8](repeating: 65, count: request.bytes), tls: server.tls))
    #expect(head.status == 201)
    #expect(head.header("x-b") == "b")
    #expect(String(decoding: body, as: UTF8.self) == "\(request.method) /p?q=1 a,-,- \(request.bytes)")
  }

  @Test("many endless streams and requests run beside each other", arguments: [false, true])
  func manyStreams(encrypted: Bool) async throws {
    let released = Gate()
    let server = try LoopbackServer(encrypted: encrypted) { exchange in
      do {
        guard exchange.path == "/watch" else {
          return try await exchange.respond(status: 200, headers: [], body: [1])
        }
        try await exchange.startResponse(status: 200, headers: [], contentLength: nil)
        try await exchange.write(Array("first".utf8))
        await released.wait()
        try await exchange.write(Array("second".utf8))
        try await exchange.finish()
      } catch { exchange.abort() }
    }
    let driver = try CurlDriver()
    let allThere = Gate(opens: 20)
    let bodies = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<20 {
        group.addTask {
          let stream = try await driver.stream(CurlRequest(url: "\(server.url)/watch", tls: server.tls))
          var text = ""
          for try await piece in stream.body {
            text += String(decoding: piece, as: UTF8.self)
            if text == "first" { allThere.open() }
          }
          return text
        }
      }
      await allThere.wait()
      for _ in 0..<10 { _ = try await driver.send(CurlRequest(url: "\(server.url)/", tls: server.tls)) }
      released.open()
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(bodies == ["firstsecond"])
  }

  @Test("what the server does wrong, or does not do at all, ends as an error that says so")
  func failures() async throws {
    let forever = Gate()
    let server = try LoopbackServer { exchange in
      do {
        switch exchange.path {
        case "/cut":
          try await exchange.startResponse(status: 200, headers: [], contentLength: 100)
          try await exchange.write([1])
          exchange.abort()
        case "/silent":
          try await exchange.startResponse(status: 200, headers: [], contentLength: nil)
          try await exchange.write([1])
          await forever.wait()
        case "/big": try await exchange.respond(status: 200, headers: [], body: [UInt8](repeating: 0, count: 100_000))
        default: await forever.wait()
        }
      } catch { exchange.abort() }
    }
    let driver = try CurlDriver()
    func code(_ change: (inout CurlRequest) -> Void) async -> TransportError.Code? {
      var request = CurlRequest(url: server.url, timeout: .seconds(30))
      change(&request)
      return await #expect(throws: TransportError.self) {
        for try await _ in try await driver.stream(request).body {}
      }?.code
    }
    #expect(await code { $0.url += "/cut" } == .closed)
    #expect(
      await code {
        $0.url += "/silent"
        $0.idleTimeout = .milliseconds(50)
      } == .idle)
    #expect(
      await code {
        $0.url += "/hang"
        $0.timeout = .milliseconds(50)
      } == .timedOut)
    #expect(
      await code {
        $0.url += "/big"
        $0.bodyLimit = 1000
      } == .overflow)
    #expect(await code { $0.url = "http://127.0.0.1:1/" } == .connectFailed)
    #expect(await code { $0.url = "ftp://x/" } == .invalidRequest)
    #expect(await code { $0.headers = [("a", "b\r\nc: d")] } == .invalidRequest)
    forever.open()
  }

  @Test("what may only be sent before a time is not sent after it, and not waited for longer than it may")
  func window() async throws {
    let arrivals = Mutex(0)
    let forever = Gate()
    let server = try LoopbackServer { exchange in
      arrivals.withLock { $0 += 1 }
      await forever.wait()
      exchange.abort()
    }
    let driver = try CurlDriver()
    func send(_ window: KubernetesRequest.SendWindow) async -> TransportError? {
      var request = CurlRequest(method: "PATCH", url: server.url, timeout: .seconds(30))
      request.window = window
      return await #expect(throws: TransportError.self) { try await driver.send(request) }
    }
    let now = MonotonicClock.now
    let late = await send(.init(sendBefore: now, answerBefore: now + .seconds(30)))
    #expect(late?.code == .timedOut && late?.message.contains("not sent") == true)
    #expect(arrivals.withLock { $0 } == 0)
    let slow = await send(
      .init(sendBefore: MonotonicClock.now + .seconds(30), answerBefore: MonotonicClock.now + .milliseconds(300)))
    #expect(slow?.code == .timedOut)
    forever.open()
  }

  @Test("a server that is not trusted is not spoken to")
  func untrusted() async throws {
    let server = try LoopbackServer(encrypted: true) { $0.abort() }
    let driver = try CurlDriver()
    let error = await #expect(throws: TransportError.self) { try await driver.send(CurlRequest(url: server.url)) }
    #expect(error?.code == .tls)
  }

  @Test("cancelling a task, dropping a stream and shutting down end the exchange at the server, too")
  func ends() async throws {
    let arrived = (0..<3).map { _ in Gate() }
    let gone = (0..<3).map { _ in Gate() }
    let server = try LoopbackServer { exchange in
      guard let index = Int(exchange.path.dropFirst()) else { return exchange.abort() }
      exchange.onDisconnect { gone[index].open() }
      do {
        try await exchange.startResponse(status: 200, headers: [], contentLength: nil)
        try await exchange.write([1])
      } catch { return exchange.abort() }
      arrived[index].open()
      await gone[index].wait()
    }
    let driver = try CurlDriver()
    let waiting = Task { for try await _ in try await driver.stream(CurlRequest(url: "\(server.url)/0")).body {} }
    await arrived[0].wait()
    waiting.cancel()
    await gone[0].wait()
    _ = await waiting.result

    let stream = Mutex<CurlStream?>(try await driver.stream(CurlRequest(url: "\(server.url)/1")))
    await arrived[1].wait()
    stream.withLock { $0 = nil }
    await gone[1].wait()

    let last = Task { for try await _ in try await driver.stream(CurlRequest(url: "\(server.url)/2")).body {} }
    await arrived[2].wait()
    driver.shutDown()
    await gone[2].wait()
    let error = await #expect(throws: TransportError.self) { try await last.value }
    #expect(error?.code == .shutDown)
    await #expect(throws: TransportError.self) { try await driver.send(CurlRequest(url: server.url)) }
  }
}

@Suite(.timeLimit(.minutes(1))) struct CurlTransportTests {
  /// Hands out one token after the other.
  private final class Tokens: CredentialSource {
    private let left = Mutex(["old", "new"])
    func credential() -> Credential { Credential(token: left.withLock { $0.first ?? "none" }) }
    func invalidate(_ refused: Credential) { left.withLock { if $0.first == refused.token { $0.removeFirst() } } }
  }

  @Test("the token goes along over TLS, and is read again when it is refused")
  func token() async throws {
    let server = try LoopbackServer(encrypted: true) { exchange in
      let token = exchange.headers.first("authorization") ?? "-"
      let isGood = token == "Bearer new"
      try? await exchange.respond(status: isGood ? 200 : 401, headers: [], body: Array("\"\(token)\"".utf8))
    }
    let endpoint = ClusterEndpoint(server: server.url, tls: server.tls, credentials: Tokens())
    let transport = CurlTransport(driver: try CurlDriver(), endpoint: endpoint)
    let response = try await transport.send(KubernetesRequest(method: .get, path: "/version"))
    #expect(response.status == 200)
    #expect(String(decoding: response.body, as: UTF8.self) == "\"Bearer new\"")
  }

  @Test("the token never goes along in clear text")
  func clearText() async throws {
    let server = try LoopbackServer { exchange in
      let token = exchange.headers.first("authorization") ?? "-"
      try? await exchange.respond(status: 200, headers: [], body: Array(token.utf8))
    }
    let endpoint = ClusterEndpoint(server: server.url, credentials: FixedToken("secret"))
    let transport = CurlTransport(driver: try CurlDriver(), endpoint: endpoint)
    let response = try await transport.send(KubernetesRequest(method: .get, path: "/version"))
    #expect(String(decoding: response.body, as: UTF8.self) == "-")
  }
}
