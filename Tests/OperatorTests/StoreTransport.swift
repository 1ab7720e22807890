import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import ObjectStore
import Synchronization
import Telemetry

/// An API server in the test's own process: requests go straight into a store, watches are fed after each write.
final class StoreTransport: KubernetesTransport {
  struct Contents: Sendable {
    var store: ObjectStore
    var watches: [Int: (request: WatchRequest, sink: AsyncThrowingStream<[UInt8], any Error>.Continuation)] = [:]
    var nextWatch = 0
    /// `PATCH /apis/…`, writes only.
    var writes: [String] = []
    /// Requests begun and ended: who waits for quiet watches it.
    var activity = 0
    var inProgress = 0
    /// Bodies of pods' logs.
    var logs: [String: String] = [:]
  }
  let contents: Mutex<Contents>
  let clock: any ClockSource

  init(_ store: ObjectStore, clock: any ClockSource) {
    contents = Mutex(Contents(store: store))
    self.clock = clock
  }

  func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
    contents.withLock {
      $0.activity += 1
      $0.inProgress += 1
    }
    defer { contents.withLock { $0.inProgress -= 1 } }
    if request.path.hasSuffix("/log") {
      let text = contents.withLock { $0.logs[request.path] }
      return KubernetesResponse(status: text == nil ? 404 : 200, body: Array((text ?? "").utf8))
    }
    let wall = clock.now().wall
    return change { contents in
      if request.method != .get { contents.writes.append(request.summary) }
      guard case .body(let body) = contents.store.handle(Self.apiRequest(request), now: wall) else {
        return KubernetesResponse(status: 500)
      }
      return KubernetesResponse(status: body.status, headers: body.headers, body: body.bytes)
    }
  }

  func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    let wall = clock.now().wall
    let (stream, sink) = AsyncThrowingStream.makeStream(of: [UInt8].self, throwing: (any Error).self)
    let status = contents.withLock { contents -> Int in
      switch contents.store.handle(Self.apiRequest(request), now: wall) {
      case .body(let body):
        sink.yield(body.bytes)
        sink.finish()
        return body.status
      case .watch(var watch):
        sink.yield(watch.openingLines(now: wall))
        let id = contents.nextWatch
        contents.nextWatch += 1
        contents.watches[id] = (watch, sink)
        Self.feed(&contents, now: wall)
        return 200
      }
    }
    return KubernetesStream(status: status, body: stream)
  }

  /// Changes the store as somebody else would, and tells watchers.
  @discardableResult
  func apply(_ operation: ObjectOperation) throws -> KubernetesObject {
    let wall = clock.now().wall
    return try change { $0.store.apply(operation, now: wall) }.get()
  }

  func object(_ type: ResourceType, _ key: ObjectKey) -> KubernetesObject? {
    contents.withLock { $0.store.object(type, key) }
  }

  /// Returns once no request has come for 3 ms of real time, or another: what was under way has then been done, even on a busy machine
  /// nearly always, and no test needs it to be always.
  func quiet(for silence: Duration = .milliseconds(3)) async {
    let clock = ContinuousClock()
    var seen = -1
    var since = clock.now
    while clock.now - since < silence {
      await Task.yield()
      let (activity, inProgress) = contents.withLock { ($0.activity, $0.inProgress) }
      if activity != seen || inProgress > 0 {
        seen = activity
        since = clock.now
      }
    }
  }

  var writes: [String] { contents.withLock { $0.writes } }

  private func change<Result: Sendable>(_ body: (inout Contents) -> Result) -> Result {
    let wall = clock.now().wall
    return contents.withLock { contents in
      let result = body(&contents)
      Self.feed(&contents, now: wall)
      return result
    }
  }

  private static func feed(_ contents: inout Contents, now: Date) {
    for id in contents.watches.keys.sorted() {
      guard let lines = contents.watches[id]?.request.lines(from: contents.store, now: now), !lines.isEmpty else {
        continue
      }
      contents.watches[id]?.sink.yield(lines)
    }
  }

  private static func apiRequest(_ request: KubernetesRequest) -> APIRequest {
    var headers = [(name: "Accept", value: request.accept)]
    if let type = request.contentType { headers.append((name: "Content-Type", value: type)) }
    return APIRequest(method: request.method.rawValue, target: request.target, headers: headers, body: request.body)
  }
}
