import Glibc

/// SIGTERM and SIGINT as something to await.
///
/// The signals are blocked in every thread, so that only the one thread that waits for them takes them.
enum TerminationSignals {
  /// Blocks the signals in the calling thread and all that it starts. Call it first, before there are other threads.
  static func block() {
    var set = signals()
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Returns the number of the first signal that comes.
  static func wait() async -> Int32 {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Int32, Never>) in
      let waiter = Waiter(continuation: continuation)
      var thread = pthread_t()
      pthread_create(
        &thread, nil,
        { context in
          guard let context else { return nil }
          let waiter = Unmanaged<Waiter>.fromOpaque(context).takeRetainedValue()
          var set = TerminationSignals.signals()
          var number: Int32 = 0
          while sigwait(&set, &number) != 0 {}
          waiter.continuation.resume(returning: number)
          return nil
        }, Unmanaged.passRetained(waiter).toOpaque())
      pthread_detach(thread)
    }
  }

  private final class Waiter {
    let continuation: UnsafeContinuation<Int32, Never>
    init(continuation: UnsafeContinuation<Int32, Never>) { self.continuation = continuation }
  }

  private static func signals() -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTERM)
    sigaddset(&set, SIGINT)
    return set
  }
}
