import Decisions
import FleetProtocol
import Telemetry

/// What is measured of one attempt at a replica.
struct AttemptMeasure: Sendable {
  /// Tokens of prompt and answer; nil: the server did not say.
  var promptTokens: Int?
  var outputTokens: Int?
  /// From the request's way to the replica to the first token, or the first byte where the answer is no stream; and to its
  /// end. In seconds; nil: it was no good answer.
  var times: (firstToken: Double, whole: Double)?
}

/// One service's load at this gateway: counts, and the integral of concurrency over time from which the controller takes
/// its averages. A value; `now` is monotonic.
struct LoadAccount: Sendable {
  private(set) var held = 0
  private(set) var inFlight = 0
  /// Requests that arrived.
  private(set) var requestsTotal = 0
  /// Wall time of the last arrival, seconds since 1970.
  private(set) var lastRequestUnix: Double?
  /// Tokens so far; nil: answers have ended, and none has said how many it took.
  var promptTokensTotal: Int? { lacksTokens ? nil : promptTokens }
  var outputTokensTotal: Int? { lacksTokens ? nil : outputTokens }
  private var lacksTokens: Bool { hasUntold && promptTokens == 0 && outputTokens == 0 }
  private var promptTokens = 0
  private var outputTokens = 0
  private var hasUntold = false
  /// How long answers took, and how requests came.
  private(set) var service = ServiceTotals()
  private var integral = 0.0
  private var since: Duration = .zero
  /// Counts changes: a reader sees whether there is news.
  private(set) var revision = 0

  /// A request arrived.
  mutating func arrived(wall: Double) {
    requestsTotal += 1
    if let lastRequestUnix { service.addGap(wall - lastRequestUnix) }
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

  /// An attempt at a replica is over. - Parameter concurrency: requests that the replica had with it.
  mutating func measured(_ measure: AttemptMeasure, concurrency: Int) {
    promptTokens += measure.promptTokens ?? 0
    outputTokens += measure.outputTokens ?? 0
    if let times = measure.times {
      if measure.promptTokens == nil, measure.outputTokens == nil { hasUntold = true }
      service.add(firstToken: times.firstToken, occupied: times.whole, concurrency: concurrency)
    }
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
