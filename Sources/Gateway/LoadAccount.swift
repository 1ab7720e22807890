import Telemetry

/// One service's load at this gateway: counts, and the integral of concurrency over time from which the controller takes
/// its averages. A value; `now` is monotonic.
struct LoadAccount: Sendable {
  private(set) var held = 0
  private(set) var inFlight = 0
  /// Requests that arrived.
  private(set) var requestsTotal = 0
  /// Wall time of the last arrival, seconds since 1970.
  private(set) var lastRequestUnix: Double?
  private var integral = 0.0
  private var since: Duration = .zero
  /// Counts changes: a reader sees whether there is news.
  private(set) var revision = 0

  /// A request arrived.
  mutating func arrived(wall: Double) {
    requestsTotal += 1
    lastRequestUnix = wall
    revision &+= 1
  }

  /// Adds to what is held and in flight.
  mutating func change(held: Int = 0, inFlight: Int = 0, now: Duration) {
    advance(to: now)
    self.held += held
    self.inFlight += inFlight
    revision &+= 1
  }

  /// Request-seconds until `now`.
  mutating func concurrencySeconds(now: Duration) -> Double {
    advance(to: now)
    return integral
  }

  private mutating func advance(to now: Duration) {
    if now > since {
      let load = held + inFlight
      if load > 0 { integral += Double(load) * (now - since).seconds }
      since = now
    }
  }
}
