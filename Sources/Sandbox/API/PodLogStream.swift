import EventLoop
import KubernetesAPI

/// Writes a container's log as an answer, and goes on writing while it grows when the client follows it.
struct PodLogStream {
  let log: ContainerLog
  let options: LogOptions

  func write(to exchange: HTTPExchange) async throws {
    try await exchange.startResponse(status: 200, headers: [("Content-Type", "text/plain")], contentLength: nil)
    var filter = LogFilter(options)
    let cursor = LogCursor(log)
    if let lines = options.tailLines { cursor.skipToLast(lines: lines) }
    while !exchange.isDisconnected, !filter.isExhausted {
      // Asked before reading: what is written between the two is read before the stream ends.
      let isFinished = log.isFinished
      let piece = cursor.read()
      if !piece.isEmpty {
        let text = filter.filter(piece)
        if !text.isEmpty { try await exchange.write(text) }
        continue
      }
      if !options.follows || isFinished { break }
      await waitForMore(exchange)
    }
    try await exchange.finish()
  }

  private func waitForMore(_ exchange: HTTPExchange) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let wake = OneShot { continuation.resume() }
      log.whenChanged { wake.fire() }
      exchange.onDisconnect { wake.fire() }
      wake.cleanUp = { exchange.onDisconnect(nil) }
    }
  }
}
