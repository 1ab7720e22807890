import EventLoop
import FoundationEssentials
import KubernetesAPI
import ObjectStore

/// Feeds one watch: events as they happen, a bookmark each minute, an end in time.
///
/// Nothing is queued for a slow client: the store's history is the queue. A client that falls out of it gets the 410 that ends its
/// watch, one that does not read at all ends at the server's write timeout.
struct WatchStream {
  static let bookmarkInterval = Duration.seconds(60)

  let cluster: Cluster
  var watch: WatchRequest

  consuming func write(to exchange: HTTPExchange) async throws {
    var stream = self
    try await stream.run(exchange)
  }

  private mutating func run(_ exchange: HTTPExchange) async throws {
    try await exchange.startResponse(
      status: 200, headers: [("Content-Type", "application/json"), ("Cache-Control", "no-cache, private")],
      contentLength: nil)
    let start = cluster.loop.now
    // As kube-apiserver, between 30 and 60 minutes when the client does not say.
    let end = watch.timeoutSeconds.map { start + .seconds($0) } ?? start + .seconds(1800 + Int.random(in: 0...1800))
    var nextBookmark = start + Self.bookmarkInterval
    let opening = watch.openingLines(now: cluster.now.wall)
    if !opening.isEmpty { try await exchange.write(opening) }
    while !watch.hasEnded, !exchange.isDisconnected {
      let lines = cluster.lines(of: &watch)
      if !lines.isEmpty {
        try await exchange.write(lines)
        continue
      }
      let now = cluster.loop.now
      if now >= end { break }
      if now >= nextBookmark {
        nextBookmark = now + Self.bookmarkInterval
        let bookmark = watch.bookmarkLine(now: cluster.now.wall)
        if !bookmark.isEmpty { try await exchange.write(bookmark) }
        continue
      }
      await waitForChange(until: min(end, nextBookmark), exchange)
    }
    let bookmark = watch.bookmarkLine(now: cluster.now.wall)
    if !bookmark.isEmpty, !exchange.isDisconnected { try await exchange.write(bookmark) }
    try await exchange.finish()
  }

  /// Returns after a change of the store, at `deadline`, or when the client goes.
  private func waitForChange(until deadline: Duration, _ exchange: HTTPExchange) async {
    let cluster = cluster
    let delay = max(deadline - cluster.loop.now, .milliseconds(1))
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let wake = OneShot { continuation.resume() }
      let token = cluster.whenChanged { wake.fire() }
      let timer = cluster.loop.schedule(after: delay) { wake.fire() }
      exchange.onDisconnect { wake.fire() }
      wake.cleanUp = {
        cluster.cancelWaiter(token)
        cluster.loop.cancel(timer)
        exchange.onDisconnect(nil)
      }
    }
  }
}

/// Runs a body once, whichever of several events comes first. Confined to a loop.
final class OneShot {
  private var body: (() -> Void)?
  /// What to undo when it has fired.
  var cleanUp: () -> Void = {}

  init(_ body: @escaping () -> Void) { self.body = body }

  func fire() {
    guard let body else { return }
    self.body = nil
    cleanUp()
    cleanUp = {}
    body()
  }
}
