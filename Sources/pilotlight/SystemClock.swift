import FoundationEssentials
import Glibc
import Telemetry

/// The machine's clocks: CLOCK_MONOTONIC and the wall.
struct SystemClock: ClockSource {
  func now() -> Now {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Now(monotonic: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec), wall: Date())
  }

  func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
