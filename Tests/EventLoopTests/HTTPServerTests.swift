import HTTPWire
import Testing

@testable import EventLoop

@Suite struct HTTPServerTests {
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
}
