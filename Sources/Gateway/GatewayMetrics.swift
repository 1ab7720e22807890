import Synchronization
import Telemetry

/// The gateway's metrics. Labels: `namespace`, `service`, and where it says so `pool`, `code`, `reason`; none is a caller's
/// to choose, so their number is bounded.
public struct GatewayMetrics: Sendable {
  /// Prometheus text of everything.
  public let registry: MetricsRegistry
  /// Requests answered, by pool (`none`: refused here) and HTTP status (`0`: the caller left first).
  let requests: Counter
  /// Requests the gateway itself refused, by the code in the error body; without a service where none was found.
  let rejections: Counter
  /// Requests that found the model asleep.
  let coldStarts: Counter
  /// Attempts on another replica.
  let retries: Counter
  /// Answers that a replica broke off.
  let broken: Counter
  let held: Gauge
  let inFlight: Gauge
  let heldBytes: Gauge
  /// Arrival to the first byte sent upstream, of requests that were held.
  let wait: Histogram
  /// Arrival to the first byte of the answer.
  let firstByte: Histogram
  /// Pod ready, as its EndpointSlice tells it, to the first byte sent to it, where a request was waiting for it.
  public let readyToFirstByte: Histogram

  public init(registry: MetricsRegistry = MetricsRegistry()) {
    self.registry = registry
    let service = ["namespace", "service"]
    requests = registry.counter(
      "pilotlight_gateway_requests_total", help: "Requests answered.", labels: service + ["pool", "code"])
    rejections = registry.counter(
      "pilotlight_gateway_rejections_total", help: "Requests refused by the gateway.", labels: service + ["reason"])
    coldStarts = registry.counter(
      "pilotlight_gateway_cold_starts_total", help: "Requests that found the model asleep.", labels: service)
    retries = registry.counter(
      "pilotlight_gateway_retries_total", help: "Attempts on another replica.", labels: service)
    broken = registry.counter(
      "pilotlight_gateway_broken_answers_total", help: "Answers that a replica broke off.", labels: service)
    held = registry.gauge("pilotlight_gateway_held_requests", help: "Requests held now.", labels: service)
    inFlight = registry.gauge(
      "pilotlight_gateway_in_flight_requests", help: "Requests at replicas now.", labels: service)
    heldBytes = registry.gauge("pilotlight_gateway_held_bytes", help: "Request bytes kept in memory now.")
    wait = registry.histogram(
      "pilotlight_gateway_wait_seconds", help: "Arrival to first byte upstream, of held requests.", labels: service)
    firstByte = registry.histogram(
      "pilotlight_gateway_first_byte_seconds", help: "Arrival to the first byte of the answer.", labels: service)
    readyToFirstByte = registry.histogram(
      "pilotlight_gateway_ready_to_first_byte_seconds", help: "Pod ready to the first byte sent to it.",
      labels: service)
  }
}

/// The series of one service, looked up once: counting a request costs no lookup by name.
final class ServiceMetrics: Sendable {
  private let metrics: GatewayMetrics
  private let key: ServiceKey
  private let labels: [String]
  private let byOutcome = Mutex<[Int: Counter.Series]>([:])
  private let wait: Histogram.Series
  private let firstByte: Histogram.Series

  init(_ metrics: GatewayMetrics, _ key: ServiceKey) {
    self.metrics = metrics
    self.key = key
    labels = [key.namespace, key.name]
    wait = metrics.wait.series(labels)
    firstByte = metrics.firstByte.series(labels)
  }

  func answered(pool: Pool?, status: Int) {
    let place = pool == nil ? 0 : pool == .dedicated ? 1 : 2
    let series = byOutcome.withLock { table in
      if let series = table[status * 4 + place] { return series }
      let series = metrics.requests.series(labels + [pool?.rawValue ?? "none", String(status)])
      table[status * 4 + place] = series
      return series
    }
    series.increment()
  }

  func rejected(code: String) { metrics.rejections.increment(key.namespace, key.name, code) }
  func retried() { metrics.retries.increment(key.namespace, key.name) }
  func brokeOff() { metrics.broken.increment(key.namespace, key.name) }
  func startedCold() { metrics.coldStarts.increment(key.namespace, key.name) }
  func waited(seconds: Double) { wait.observe(seconds) }
  func gotFirstByte(afterSeconds seconds: Double) { firstByte.observe(seconds) }
  func reached(afterReady seconds: Double) { metrics.readyToFirstByte.observe(seconds, key.namespace, key.name) }

  func show(held: Int, inFlight: Int) {
    metrics.held.set(Double(held), key.namespace, key.name)
    metrics.inFlight.set(Double(inFlight), key.namespace, key.name)
  }

  /// The service is gone; what was counted stays, what it carries now does not.
  func forget() {
    metrics.held.remove(key.namespace, key.name)
    metrics.inFlight.remove(key.namespace, key.name)
  }
}
