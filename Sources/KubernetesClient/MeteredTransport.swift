import Telemetry

/// Counts what passes through another transport: how much a client asks of an API server.
public struct MeteredTransport: KubernetesTransport {
  private let base: any KubernetesTransport
  private let requests: Counter
  private let sentBytes: Counter
  private let receivedBytes: Counter

  public init(_ base: any KubernetesTransport, metrics: MetricsRegistry) {
    self.base = base
    requests = metrics.counter(
      "pilotlight_api_requests_total",
      help: "Requests to the API server by method and status; 0 where there was no answer. A watch counts once.",
      labels: ["method", "code"])
    sentBytes = metrics.counter(
      "pilotlight_api_sent_bytes_total", help: "Bytes of request bodies sent to the API server.")
    receivedBytes = metrics.counter(
      "pilotlight_api_received_bytes_total", help: "Bytes of the API server's answers, watches included.")
  }

  public func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
    sentBytes.increment(by: Double(request.body.count))
    do {
      let response = try await base.send(request)
      requests.increment(request.method.rawValue, "\(response.status)")
      receivedBytes.increment(by: Double(response.body.count))
      return response
    } catch {
      requests.increment(request.method.rawValue, "0")
      throw error
    }
  }

  public func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    do {
      var stream = try await base.stream(request)
      requests.increment(request.method.rawValue, "\(stream.status)")
      stream.body = counted(stream.body)
      return stream
    } catch {
      requests.increment(request.method.rawValue, "0")
      throw error
    }
  }

  /// The same pieces at the same pace: one is taken only when the reader asks, so nothing piles up here.
  private func counted(_ body: AsyncThrowingStream<[UInt8], any Error>) -> AsyncThrowingStream<[UInt8], any Error> {
    let pieces = PieceReader(body)
    return AsyncThrowingStream { [receivedBytes] in
      let piece = try await pieces.next()
      if let piece { receivedBytes.increment(by: Double(piece.count)) }
      return piece
    }
  }
}

/// The one iterator of a body. A body has one reader, which never asks twice at once.
private actor PieceReader {
  private var iterator: AsyncThrowingStream<[UInt8], any Error>.Iterator?

  init(_ body: AsyncThrowingStream<[UInt8], any Error>) { iterator = body.makeAsyncIterator() }

  func next() async throws -> [UInt8]? {
    // Taken out while it waits: an actor may be entered again meanwhile, and an iterator must not be used twice at once.
    guard var own = iterator.take() else { return nil }
    let piece = try await own.next(isolation: self)
    iterator = own
    return piece
  }
}
