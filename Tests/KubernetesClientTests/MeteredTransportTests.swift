import KubernetesClient
import Telemetry
import Testing

@Suite struct MeteredTransportTests {
  private struct Canned: KubernetesTransport {
    var status = 200
    func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
      if request.path == "/broken" { throw TransportError(.closed, "gone") }
      return KubernetesResponse(status: status, body: Array("0123456789".utf8))
    }
    func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
      let (body, feed) = AsyncThrowingStream.makeStream(of: [UInt8].self)
      feed.yield([1, 2, 3])
      feed.yield([4])
      feed.finish(throwing: TransportError(.closed, "cut"))
      return KubernetesStream(status: 200, body: body)
    }
  }

  private let metrics = MetricsRegistry()
  private var received: Double { metrics.counter("pilotlight_api_received_bytes_total", help: "").value() }

  private func requests(_ method: String, _ code: String) -> Double {
    metrics.counter("pilotlight_api_requests_total", help: "", labels: ["method", "code"]).value(method, code)
  }

  @Test func countsRequestsByMethodAndStatusAndBytesBothWays() async throws {
    let transport = MeteredTransport(Canned(status: 409), metrics: metrics)
    _ = try await transport.send(KubernetesRequest(method: .patch, path: "/x", body: [1, 2]))
    await #expect(throws: TransportError.self) {
      try await transport.send(KubernetesRequest(method: .get, path: "/broken"))
    }
    #expect(requests("PATCH", "409") == 1)
    #expect(requests("GET", "0") == 1)
    #expect(metrics.counter("pilotlight_api_sent_bytes_total", help: "").value() == 2)
    #expect(received == 10)
  }

  @Test func passesAStreamOnPieceByPieceAndItsError() async throws {
    let stream = try await MeteredTransport(Canned(), metrics: metrics).stream(
      KubernetesRequest(method: .get, path: "/watch"))
    var pieces: [[UInt8]] = []
    await #expect(throws: TransportError.self) { for try await piece in stream.body { pieces.append(piece) } }
    #expect(pieces == [[1, 2, 3], [4]])
    #expect(received == 4)
  }
}
