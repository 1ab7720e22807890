import Glibc

/// A descriptor that a loop watches and owns: a pipe, a pidfd, a signalfd. Loop-confined.
public final class DescriptorWatch: PollTarget {
  public let descriptor: Int32
  private let loop: EventLoop
  private var onReady: (() -> Void)?

  init(_ descriptor: Int32, loop: EventLoop, onReady: @escaping () -> Void) {
    self.descriptor = descriptor
    self.loop = loop
    self.onReady = onReady
  }

  /// Forgets and closes the descriptor; the second call does nothing.
  public func close() {
    guard onReady != nil else { return }
    onReady = nil
    loop.poller.close(descriptor)
  }

  func pollEvents(_ events: UInt32) { onReady?() }

  func pollEnded() { close() }
}

extension EventLoop {
  /// Calls `onReady` on the loop whenever there is something new to read, or the other end is gone. Loop only.
  ///
  /// Edge-triggered: read until nothing is left, or look again by yourself. The watch owns the descriptor, which must not
  /// block, and lives until it is closed or the loop stops.
  /// - Throws: ``HTTPError`` when the kernel cannot watch it; the descriptor stays the caller's.
  public func watch(_ descriptor: Int32, onReady: @escaping () -> Void) throws -> DescriptorWatch {
    preconditionOnLoop()
    let watch = DescriptorWatch(descriptor, loop: self, onReady: onReady)
    try poller.add(descriptor, watch)
    return watch
  }
}
