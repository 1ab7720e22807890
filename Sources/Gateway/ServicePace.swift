import Telemetry

/// How fast a service answers and wakes, as far as this gateway has seen: what `Retry-After` is computed from.
struct ServicePace: Sendable {
  /// Weight of a new sample: about the last ten count.
  private static let weight = 0.2
  /// Guesses until there are samples, in seconds.
  private static let unknownWake = 30.0
  private static let unknownService = 1.0

  private var serviceSeconds: Double?
  private var wakeSeconds: Double?

  /// A request occupied its slot for `duration`.
  mutating func served(in duration: Duration) { Self.add(duration.seconds, to: &serviceSeconds) }

  /// A sleeping service took `duration` from its first held request to a ready replica.
  mutating func woke(in duration: Duration) { Self.add(duration.seconds, to: &wakeSeconds) }

  /// Seconds until a place in line is likely to be free: with `slots` replica slots and `held` before, each slot frees
  /// every service time. 1...600.
  func untilPlace(held: Int, slots: Int) -> Int {
    let service = serviceSeconds ?? Self.unknownService
    return Self.bounded(service * Double(max(1, held)) / Double(max(1, slots)))
  }

  /// Seconds until a service that has been waking for `elapsed` is likely to be awake. 1...600.
  func untilAwake(elapsed: Duration, hint: Duration?) -> Int {
    let expected = wakeSeconds ?? hint?.seconds ?? Self.unknownWake
    let rest = expected - elapsed.seconds
    // Later than ever before: half as long again is as good a guess as any.
    return Self.bounded(rest > 0 ? rest : elapsed.seconds / 2)
  }

  private static func bounded(_ seconds: Double) -> Int { Int(min(600, max(1, seconds.rounded(.up)))) }

  private static func add(_ sample: Double, to average: inout Double?) {
    average = average.map { $0 + weight * (sample - $0) } ?? sample
  }
}
