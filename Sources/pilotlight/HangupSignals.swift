import CLinux
import Glibc

/// SIGHUP: the sign to read files again.
enum HangupSignals {
  /// Calls `action` for every SIGHUP from now on, on a thread of its own, one after the other.
  static func handle(_ action: @escaping @Sendable () -> Void) {
    let pipe = cl_catch_signals([SIGHUP], 1)
    guard pipe >= 0 else { return Console.printError("pilotlight: SIGHUP cannot be caught: error \(-pipe)") }
    let handler = Handler(pipe: pipe, action: action)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Handler>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(handler).toOpaque())
    pthread_detach(thread)
  }

  private final class Handler {
    let pipe: Int32
    let action: @Sendable () -> Void

    init(pipe: Int32, action: @escaping @Sendable () -> Void) {
      self.pipe = pipe
      self.action = action
    }

    func run() {
      var byte: UInt8 = 0
      while true {
        let count = read(pipe, &byte, 1)
        if count == 1 { action() } else if count == 0 || errno != EINTR { return }
      }
    }
  }
}
