import CLinux
import Glibc
import KubernetesClient
import Synchronization

/// What other threads tell the driver's thread; wakes it through an eventfd.
final class CurlInbox: Sendable {
  enum Command: Sendable {
    case start(id: Int, CurlRequest, ResponseChannel)
    case cancel(id: Int)
    case shutDown
  }

  private struct State {
    var commands: [Command] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  let wakeUp: Int32

  init() throws {
    wakeUp = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
    guard wakeUp >= 0 else { throw TransportError(.exhausted, "eventfd failed: errno \(cl_errno())") }
  }

  deinit { close(wakeUp) }

  /// - Returns: false when the driver was shut down.
  func post(_ command: Command) -> Bool {
    let (isAccepted, isFirst) = state.withLock { state in
      if state.isClosed { return (false, false) }
      state.commands.append(command)
      return (true, state.commands.count == 1)
    }
    if isFirst {
      var one: UInt64 = 1
      _ = write(wakeUp, &one, 8)
    }
    return isAccepted
  }

  /// - Parameter isLast: nothing is accepted from now on.
  func takeAll(isLast: Bool = false) -> [Command] {
    var count: UInt64 = 0
    _ = read(wakeUp, &count, 8)
    return state.withLock { state in
      defer { state.commands = [] }
      if isLast { state.isClosed = true }
      return state.commands
    }
  }
}
