import CCurl
import CLinux
import Glibc
import KubernetesClient
import Telemetry

/// The driver's thread: libcurl's multi interface on an epoll loop of its own.
///
/// `curl_multi_socket_action` and not `curl_multi_poll`: an event costs what happens on its socket, not what is open. libcurl's
/// pause is not used (it stalls HTTP/2 streams, curl #10988, #16955): a reader that is too slow ends its own transfer.
final class CurlLoop {
  private let inbox: CurlInbox
  private let epoll: Int32
  private let multi: UnsafeMutableRawPointer
  private var transfers: [Int: CurlTransfer] = [:]
  private var idsByHandle: [UnsafeMutableRawPointer: Int] = [:]
  private var spareHandles: [UnsafeMutableRawPointer] = []
  /// Which events each socket is watched for.
  private var interests: [Int32: UInt32] = [:]
  /// When libcurl wants to be called although nothing happened.
  private var curlDeadline: Duration?
  /// Not later than the first transfer that may be idle for too long.
  private var idleDeadline: Duration?
  private var isStopping = false

  private static let spareHandleLimit = 64

  /// Takes over `epoll` and `multi`.
  init(inbox: CurlInbox, epoll: Int32, multi: UnsafeMutableRawPointer, connectionsPerHost: Int) {
    self.inbox = inbox
    self.epoll = epoll
    self.multi = multi
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.fd = inbox.wakeUp
    epoll_ctl(epoll, EPOLL_CTL_ADD, inbox.wakeUp, &event)
    let me = Unmanaged.passUnretained(self).toOpaque()
    _ = ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
    // libcurl's default is 100, and every stream beyond opens a connection of its own. The server's own bound still holds.
    _ = ccurl_multi_set_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 1000)
    _ = ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connectionsPerHost)
    _ = ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, me)
    _ = ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, me)
    _ = ccurl_multi_set_socket_function(multi) { _, socket, what, context, _ in
      guard let context else { return -1 }
      Unmanaged<CurlLoop>.fromOpaque(context).takeUnretainedValue().watch(socket, what)
      return 0
    }
    _ = ccurl_multi_set_timer_function(multi) { _, milliseconds, context in
      guard let context else { return -1 }
      let deadline = milliseconds < 0 ? nil : MonotonicClock.now + .milliseconds(milliseconds)
      Unmanaged<CurlLoop>.fromOpaque(context).takeUnretainedValue().curlDeadline = deadline
      return 0
    }
  }

  func run() {
    var events = [epoll_event](repeating: epoll_event(), count: 128)
    while !isStopping {
      let count = epoll_wait(epoll, &events, Int32(events.count), waitMilliseconds())
      for index in 0..<max(0, Int(count)) { handle(events[index]) }
      let now = MonotonicClock.now
      if let curlDeadline, curlDeadline <= now {
        self.curlDeadline = nil
        act(on: ccurl_socket_timeout, 0)
      }
      reapFinished()
      if let idleDeadline, idleDeadline <= now { endIdle(now) }
    }
    tearDown()
  }

  private func waitMilliseconds() -> Int32 {
    guard let deadline = [curlDeadline, idleDeadline].compactMap({ $0 }).min() else { return -1 }
    let left = (deadline - MonotonicClock.now).milliseconds.rounded(.up)
    return Int32(min(max(0, left), 60_000))
  }

  private func handle(_ event: epoll_event) {
    let socket = event.data.fd
    guard socket != inbox.wakeUp else {
      for command in inbox.takeAll() { perform(command) }
      return
    }
    var mask: Int32 = 0
    if event.events & EPOLLIN.rawValue != 0 { mask |= CURL_CSELECT_IN }
    if event.events & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
    if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { mask |= CURL_CSELECT_ERR | CURL_CSELECT_IN }
    act(on: socket, mask)
  }

  private func act(on socket: curl_socket_t, _ mask: Int32) {
    var running: Int32 = 0
    curl_multi_socket_action(multi, socket, mask, &running)
  }

  private func watch(_ socket: Int32, _ what: Int32) {
    var event = epoll_event()
    event.data.fd = socket
    guard what != CURL_POLL_REMOVE else {
      interests[socket] = nil
      epoll_ctl(epoll, EPOLL_CTL_DEL, socket, &event)
      return
    }
    if what & CURL_POLL_IN != 0 { event.events |= EPOLLIN.rawValue }
    if what & CURL_POLL_OUT != 0 { event.events |= EPOLLOUT.rawValue }
    let isKnown = interests.updateValue(event.events, forKey: socket) != nil
    if epoll_ctl(epoll, isKnown ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) != 0 {
      // The number was closed and given out again behind our back, or never closed.
      epoll_ctl(epoll, isKnown ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event)
    }
  }

  private func perform(_ command: CurlInbox.Command) {
    switch command {
    case .start(let id, let request, let channel): start(id, request, channel)
    case .cancel(let id):
      guard let transfer = transfers[id] else { return }
      end(transfer)
      transfer.channel.finish(.failure(TransportError(.closed, "\(transfer.summary): cancelled")))
    case .shutDown: isStopping = true
    }
  }

  private func start(_ id: Int, _ request: CurlRequest, _ channel: ResponseChannel) {
    guard let easy = spareHandles.popLast() ?? curl_easy_init() else {
      return channel.finish(.failure(TransportError(.exhausted, "\(request.summary): out of memory")))
    }
    let now = MonotonicClock.now
    let transfer = CurlTransfer(id: id, request: request, channel: channel, easy: easy, now: now)
    transfers[id] = transfer
    idsByHandle[easy] = id
    do {
      try transfer.configure()
    } catch {
      end(transfer)
      return channel.finish(.failure(error))
    }
    let result = curl_multi_add_handle(multi, easy)
    guard result == CURLM_OK else {
      end(transfer)
      let text = String(cString: curl_multi_strerror(result))
      return channel.finish(.failure(TransportError(.exhausted, "\(request.summary): \(text)")))
    }
    if let idleTimeout = request.idleTimeout {
      idleDeadline = min(idleDeadline ?? now + idleTimeout, now + idleTimeout)
    }
  }

  private func reapFinished() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
        let transfer = idsByHandle[easy].flatMap({ transfers[$0] })
      else { continue }
      let code = ccurl_message_result(message)
      transfer.finish(code)
      end(transfer)
    }
  }

  /// Ends transfers whose server was silent for too long, and finds out when the next may be.
  private func endIdle(_ now: Duration) {
    idleDeadline = nil
    for id in transfers.keys.sorted() {
      guard let transfer = transfers[id], let timeout = transfer.request.idleTimeout else { continue }
      let deadline = transfer.lastHeard + timeout
      if deadline <= now {
        end(transfer)
        transfer.channel.finish(
          .failure(TransportError(.idle, "\(transfer.summary): nothing from the server for \(timeout)")))
      } else {
        idleDeadline = min(idleDeadline ?? deadline, deadline)
      }
    }
  }

  private func end(_ transfer: CurlTransfer) {
    transfers[transfer.id] = nil
    idsByHandle[transfer.easy] = nil
    curl_multi_remove_handle(multi, transfer.easy)
    curl_easy_reset(transfer.easy)
    if spareHandles.count < Self.spareHandleLimit {
      spareHandles.append(transfer.easy)
    } else {
      curl_easy_cleanup(transfer.easy)
    }
  }

  private func tearDown() {
    for id in transfers.keys.sorted() {
      guard let transfer = transfers[id] else { continue }
      end(transfer)
      transfer.channel.finish(.failure(Self.shutDownError(transfer.request)))
    }
    for case .start(_, let request, let channel) in inbox.takeAll(isLast: true) {
      channel.finish(.failure(Self.shutDownError(request)))
    }
    for easy in spareHandles { curl_easy_cleanup(easy) }
    curl_multi_cleanup(multi)
    close(epoll)
  }

  static func shutDownError(_ request: CurlRequest) -> TransportError {
    TransportError(.shutDown, "\(request.summary): the HTTP client was shut down")
  }
}
