import CLinux
import Glibc

/// SIGTERM and SIGINT as something to await.
///
/// A handler writes them into a pipe. Blocking them and waiting with sigwait(3) does not work: once `main` awaits, libdispatch
/// parks the main thread in sigsuspend(2) with an empty mask, and that thread then takes the signal and dies of it.
enum TerminationSignals {
  private static let pipe: Int32 = cl_catch_signals([SIGTERM, SIGINT], 2)

  /// From now on the signals no longer end the process: one that comes waits for ``wait()``. Call it first.
  static func block() {
    if pipe < 0 { Console.printError("pilotlight: SIGTERM and SIGINT cannot be caught: error \(-pipe)") }
  }

  /// Returns the number of the first signal that comes, or came since ``block()``.
  static func wait() async -> Int32 {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Int32, Never>) in
      let waiter = Waiter(continuation: continuation)
      var thread = pthread_t()
      pthread_create(
        &thread, nil,
        { context in
          guard let context else { return nil }
          let waiter = Unmanaged<Waiter>.fromOpaque(context).takeRetainedValue()
          waiter.continuation.resume(returning: TerminationSignals.read())
          return nil
        }, Unmanaged.passRetained(waiter).toOpaque())
      pthread_detach(thread)
    }
  }

  private static func read() -> Int32 {
    var byte: UInt8 = 0
    while Glibc.read(pipe, &byte, 1) < 0, errno == EINTR {}
    return Int32(byte)
  }

  private final class Waiter {
    let continuation: UnsafeContinuation<Int32, Never>
    init(continuation: UnsafeContinuation<Int32, Never>) { self.continuation = continuation }
  }
}
