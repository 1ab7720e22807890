import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import ObjectStore

/// One watch of one controller, as a connection: it delivers late, falls silent, breaks, and ends.
final class WatchConnection: @unchecked Sendable {
  typealias Body = AsyncThrowingStream<[UInt8], any Error>

  /// API servers send a bookmark each minute.
  private static let bookmarks: Duration = .seconds(60)

  let body: Body
  private(set) var status = 200
  let isOfLeases: Bool
  private let sink: Body.Continuation
  private let time: VirtualTime
  private let idleTimeout: Duration?
  private let latency: () -> Duration
  private let delivered: (_ through: Int) -> Void
  private var request: WatchRequest?
  private weak var server: APIServer?
  private var forget: () -> Void = {}
  private var isDelivering = false
  private var hasEnded = false
  private var idleTimer: VirtualTime.TimerID?
  /// Half-open: the server sends, and nothing arrives.
  var isHalfOpen = false
  /// Half-open, and the client has not found out yet.
  var isDeceiving: Bool { isHalfOpen && request != nil && !hasEnded }
  /// Nothing arrives before.
  var stalledUntil: Duration = .zero

  /// - Parameters:
  ///   - latency: of the next delivery.
  ///   - delivered: told up to which resource version the client knows everything.
  init(
    _ time: VirtualTime, isOfLeases: Bool, idleTimeout: Duration?, latency: @escaping () -> Duration,
    delivered: @escaping (_ through: Int) -> Void
  ) {
    self.isOfLeases = isOfLeases
    self.time = time
    self.idleTimeout = idleTimeout
    self.latency = latency
    self.delivered = delivered
    (body, sink) = Body.makeStream()
  }

  func refuse(_ status: Int, _ bytes: [UInt8]) {
    self.status = status
    sink.yield(bytes)
    sink.finish()
  }

  func begin(_ watch: WatchRequest, at server: APIServer, forget: @escaping () -> Void) {
    var watch = watch
    self.server = server
    self.forget = forget
    let opening = watch.openingLines(now: time.wall)
    request = watch
    sink.onTermination = { [self] _ in close() }
    if !opening.isEmpty { sink.yield(opening) }
    if let seconds = watch.timeoutSeconds { time.after(.seconds(seconds)) { [self] in end(nil) } }
    heard()
    requestDelivery()
    scheduleBookmark()
  }

  /// Something in the store changed.
  func requestDelivery() {
    guard !isDelivering, !hasEnded else { return }
    isDelivering = true
    time.after(max(latency(), stalledUntil - time.elapsed)) { [self] in deliver() }
  }

  /// Ends the connection; nil: as a server does after the watch's timeout.
  func end(_ error: TransportError?) {
    guard !hasEnded else { return }
    if let error { sink.finish(throwing: error) } else { sink.finish() }
    close()
  }

  /// The connection breaks, and the client is told.
  func breakOff() { end(TransportError(.closed, "the watch broke")) }

  private func deliver() {
    isDelivering = false
    guard !hasEnded, !isHalfOpen, let server else { return }
    let lines = request?.lines(from: server.store, now: time.wall) ?? []
    send(lines)
    if request?.hasEnded == true { return end(nil) }
    delivered(server.store.resourceVersion)
  }

  private func scheduleBookmark() {
    time.after(Self.bookmarks) { [self] in
      guard !hasEnded else { return }
      if !isHalfOpen, !isDelivering { send(request?.bookmarkLine(now: time.wall) ?? []) }
      scheduleBookmark()
    }
  }

  private func send(_ lines: [UInt8]) {
    guard !lines.isEmpty else { return }
    heard()
    sink.yield(lines)
  }

  private func heard() {
    if let idleTimer { time.cancel(idleTimer) }
    guard let idleTimeout else { return }
    idleTimer = time.after(idleTimeout) { [self] in end(TransportError(.idle, "the watch is silent")) }
  }

  private func close() {
    guard !hasEnded else { return }
    hasEnded = true
    if let idleTimer { time.cancel(idleTimer) }
    forget()
  }
}
