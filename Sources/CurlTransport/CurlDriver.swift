import CCurl
import CLinux
import Glibc
import KubernetesClient
import Synchronization

/// An HTTP client: one thread that drives libcurl, for any number of exchanges and streams at once.
///
/// Connections are kept and shared: many streams to one HTTP/2 server use one connection. Cancelling a task ends its exchange at
/// once. When the driver goes, its thread ends, and with it what is still under way.
public final class CurlDriver: Sendable {
  private let inbox: CurlInbox
  private let lastID = Atomic<Int>(0)

  // curl_global_init is thread-safe in every libcurl that has the options we use (7.85).
  private static let isCurlReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// - Parameter connectionsPerHost: more exchanges with one HTTP/1.1 server wait until a connection is free.
  /// - Throws: ``TransportError`` when the system has no descriptor or thread left.
  public init(connectionsPerHost: Int = 256) throws {
    guard Self.isCurlReady else { throw TransportError(.exhausted, "libcurl could not be initialised") }
    inbox = try CurlInbox()
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw TransportError(.exhausted, "epoll_create1 failed: errno \(cl_errno())") }
    guard let multi = curl_multi_init() else {
      close(epoll)
      throw TransportError(.exhausted, "curl_multi_init failed")
    }
    let loop = CurlLoop(inbox: inbox, epoll: epoll, multi: multi, connectionsPerHost: connectionsPerHost)
    let context = Unmanaged.passRetained(loop)
    var thread = pthread_t()
    let result = pthread_create(&thread, nil, CurlDriver.threadMain, context.toOpaque())
    guard result == 0 else {
      context.release()
      curl_multi_cleanup(multi)
      close(epoll)
      throw TransportError(.exhausted, "pthread_create failed: errno \(result)")
    }
    pthread_detach(thread)
  }

  deinit { shutDown() }

  // From here on the loop is the thread's alone.
  private static let threadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
    guard let context else { return nil }
    // OpenSSL writes to sockets without MSG_NOSIGNAL; and the process's signals are others' business.
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_SETMASK, &signals, nil)
    Unmanaged<CurlLoop>.fromOpaque(context).takeRetainedValue().run()
    return nil
  }

  /// Ends what is under way, with an error, and the thread.
  public func shutDown() { _ = inbox.post(.shutDown) }

  /// Sends a request and waits for the whole answer, whatever its status.
  /// - Throws: ``TransportError``, or `CancellationError` when the task is cancelled.
  public func send(_ request: CurlRequest) async throws -> (head: CurlResponseHead, body: [UInt8]) {
    let channel = start(request)
    let body = try await channel.wholeBody()
    return (try await channel.head(), body)
  }

  /// Sends a request and returns once the head of the answer is there.
  ///
  /// The body ends with ``TransportError`` when the connection breaks, the server is silent for the idle timeout, or more than
  /// `bodyLimit` bytes wait to be read. Dropping the stream ends the exchange.
  public func stream(_ request: CurlRequest) async throws -> CurlStream {
    let channel = start(request)
    let owner = StreamOwner(channel)
    let head = try await channel.head()
    return CurlStream(head: head, body: AsyncThrowingStream { try await owner.channel.next() })
  }

  private func start(_ request: CurlRequest) -> ResponseChannel {
    let id = lastID.add(1, ordering: .relaxed).newValue
    let inbox = inbox
    let channel = ResponseChannel(limit: request.bodyLimit, summary: request.summary) {
      _ = inbox.post(.cancel(id: id))
    }
    if !inbox.post(.start(id: id, request, channel)) { channel.finish(.failure(CurlLoop.shutDownError(request))) }
    return channel
  }
}

/// An answer whose body is still coming.
public struct CurlStream: Sendable {
  public var head: CurlResponseHead
  /// Pieces of any size.
  public var body: AsyncThrowingStream<[UInt8], any Error>
}

/// Ends the exchange when nobody can read it any more.
private final class StreamOwner: Sendable {
  let channel: ResponseChannel
  init(_ channel: ResponseChannel) { self.channel = channel }
  deinit { channel.abandon() }
}
