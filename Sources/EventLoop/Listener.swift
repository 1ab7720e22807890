import Glibc

/// A listening socket in a loop's epoll set. Loop-confined.
final class Listener: PollTarget {
  private(set) var descriptor: Int32
  private let loop: EventLoop
  private let onConnections: () -> Void

  /// - Parameter onConnections: called when connections wait; edge-triggered, so all of them must be accepted.
  init(descriptor: Int32, loop: EventLoop, onConnections: @escaping () -> Void) throws {
    self.descriptor = descriptor
    self.loop = loop
    self.onConnections = onConnections
    do {
      try loop.poller.add(descriptor, self)
    } catch {
      Glibc.close(descriptor)
      throw error
    }
  }

  func pollEvents(_ events: UInt32) { onConnections() }

  func pollEnded() { close() }

  func close() {
    guard descriptor >= 0 else { return }
    loop.poller.close(descriptor)
    descriptor = -1
  }
}
