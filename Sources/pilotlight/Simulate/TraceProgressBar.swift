import Glibc
import Simulation

/// How far a long trace was read, on standard error when that is a terminal; nothing in the first second.
struct TraceProgressBar {
  /// The clock is looked at once in so many requests.
  private static let requestsBetweenLooks = 1 << 18
  private let isShown = isatty(STDERR_FILENO) == 1
  private let clock = SystemClock()
  private let start: Duration
  private var last: Duration
  private var requests = 0

  init() {
    start = clock.now().monotonic
    last = start
  }

  @inline(__always)
  mutating func count(_ progress: @autoclosure () -> TraceProgress) {
    requests &+= 1
    if isShown, requests & (Self.requestsBetweenLooks - 1) == 0 { draw(progress()) }
  }

  private mutating func draw(_ progress: TraceProgress) {
    let now = clock.now().monotonic
    guard now - start > .seconds(1), now - last > .milliseconds(200) else { return }
    last = now
    // Back to the line's start, and nothing left of what stood there.
    Console.write("\r\u{1B}[K" + Self.text(progress, requests: requests), to: STDERR_FILENO)
  }

  /// Wipes the line.
  func finish() { if last != start { Console.write("\r\u{1B}[K", to: STDERR_FILENO) } }

  static func text(_ progress: TraceProgress, requests: Int) -> String {
    let read = "\(progress.read >> 20) MiB, \(requests) requests"
    guard let total = progress.total, total > 0 else { return read }
    let share = min(1, Double(progress.read) / Double(total))
    let filled = Int(share * 30)
    return "[" + String(repeating: "=", count: filled) + String(repeating: " ", count: 30 - filled)
      + "] \(Int(share * 100)) % of \(total >> 20) MiB, \(requests) requests"
  }
}
