import CLinux
import Glibc

/// What a socket's owner hears from epoll. Called on the loop.
protocol PollTarget: AnyObject {
  /// `events` is the mask of epoll_wait(2).
  func pollEvents(_ events: UInt32)
  /// The loop ends: close and resume whoever waits.
  func pollEnded()
}

/// An epoll instance, edge-triggered: a descriptor is registered once, for everything, and never again.
///
/// Used by one thread, but for `wake`, which is a write to an eventfd and safe from any.
final class Poller {
  private struct Entry {
    var target: (any PollTarget)?
    var generation: UInt32 = 0
  }

  private let epoll: Int32
  private let wakeDescriptor: Int32
  private var entries: [Entry] = []
  private var events: [epoll_event]
  private var pending = 0
  private var isClosed = false

  /// Events fetched by one epoll_wait(2).
  private static let batch = 512
  private static let wakeToken = UInt64.max

  init() throws {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw HTTPError.system("epoll_create1", cl_errno()) }
    wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
    guard wakeDescriptor >= 0 else {
      let code = cl_errno()
      Glibc.close(epoll)
      throw HTTPError.system("eventfd", code)
    }
    events = Array(repeating: epoll_event(), count: Self.batch)
    var event = epoll_event()
    event.events = EPOLLIN.rawValue | EPOLLET.rawValue
    event.data.u64 = Self.wakeToken
    epoll_ctl(epoll, EPOLL_CTL_ADD, wakeDescriptor, &event)
  }

  deinit {
    Glibc.close(wakeDescriptor)
    Glibc.close(epoll)
  }

  /// Watches `descriptor` for input, output and the peer's end, edge-triggered.
  func add(_ descriptor: Int32, _ target: any PollTarget) throws {
    guard !isClosed else { throw HTTPError(.disconnected, "the event loop has stopped") }
    while entries.count <= Int(descriptor) { entries.append(Entry()) }
    entries[Int(descriptor)].generation &+= 1
    entries[Int(descriptor)].target = target
    var event = epoll_event()
    event.events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
    // The generation tells a late event of a closed descriptor from one of its successor of the same number.
    event.data.u64 = UInt64(entries[Int(descriptor)].generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
      entries[Int(descriptor)].target = nil
      throw HTTPError.system("epoll_ctl", cl_errno())
    }
  }

  /// Forgets and closes `descriptor`; the kernel takes a closed descriptor out of the set.
  func close(_ descriptor: Int32) {
    if Int(descriptor) < entries.count { entries[Int(descriptor)].target = nil }
    Glibc.close(descriptor)
  }

  /// - Parameter timeout: milliseconds; -1 waits without end.
  func wait(timeout: Int32) {
    let found = events.withUnsafeMutableBufferPointer {
      epoll_wait(epoll, $0.baseAddress, Int32(Self.batch), timeout)
    }
    pending = max(0, Int(found))
  }

  /// Hands the fetched events to their targets.
  func dispatch() {
    for index in 0..<pending {
      let event = events[index]
      let token = event.data.u64
      if token == Self.wakeToken {
        var value: UInt64 = 0
        _ = read(wakeDescriptor, &value, 8)
        continue
      }
      let descriptor = Int(token & 0xffff_ffff)
      guard descriptor < entries.count, entries[descriptor].generation == UInt32(token >> 32) else { continue }
      entries[descriptor].target?.pollEvents(event.events)
    }
    pending = 0
  }

  func wake() {
    var one: UInt64 = 1
    _ = write(wakeDescriptor, &one, 8)
  }

  func closeAll() {
    isClosed = true
    for index in entries.indices { entries[index].target?.pollEnded() }
  }
}
