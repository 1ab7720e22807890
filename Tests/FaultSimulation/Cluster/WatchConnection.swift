import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import ObjectStore

/// One watch of one controller, as a connection: it delivers late, falls silent, breaks, and ends.
final class WatchConnection: @unchecked Sendable {
  typealias Body = AsyncThrowingStream<[UInt8], any Error>
  typealias Events = AsyncThrowingStream<KubernetesStream.Event, any Error>

  /// API servers send a bookmark each minute.
  private static let bookmarks: Duration = .seconds(60)

  /// Of a refusal.
  private let body: Body
  private let events: Events
  private var status = 200
  let isOfLeases: Bool
  private let sink: Events.Continuation
  private let refusal: Body.Continuation
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
    (body, refusal) = Body.makeStream()
    (events, sink) = Events.makeStream()
  }

  /// As the client sees it.
  var stream: KubernetesStream {
    KubernetesStream(status: status, body: body, events: status == 200 ? events : nil)
  }

  func refuse(_ status: Int, _ bytes: [UInt8]) {
    self.status = status
    refusal.yield(bytes)
    refusal.finish()
  }

  func begin(_ watch: WatchRequest, at server: APIServer, forget: @escaping () -> Void) {
    var watch = watch
    self.server = server
    self.forget = forget
    let opening = watch.openingEvents()
    request = watch
    sink.onTermination = { [self] _ in close() }
    for event in opening { tell(event.kind.rawValue, event.object) }
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
    let news = request?.events(from: server.store) ?? []
    if !news.isEmpty { heard() }
    for event in news { tell(event.kind.rawValue, event.object) }
    if request?.hasEnded == true { return end(nil) }
    delivered(server.store.resourceVersion)
  }

  private func scheduleBookmark() {
    time.after(Self.bookmarks) { [self] in
      guard !hasEnded else { return }
      if !isHalfOpen, !isDelivering, let bookmark = request?.bookmark {
        heard()
        tell(bookmark.kind.rawValue, bookmark.object)
      }
      scheduleBookmark()
    }
  }

  private func tell(_ type: String, _ object: KubernetesObject) {
    do { sink.yield(try KubernetesStream.Event(type: type, object: object.json)) } catch {
      sink.finish(throwing: error)
    }
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
