import Synchronization
import Telemetry

/// The gateway's metrics. Labels: `namespace`, `service`, and where it says so `pool`, `code`, `reason`, `phase`; none is a caller's
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
  /// Arrival to the end of the first event of an event stream.
  let firstToken: Histogram
  /// The phases of a cold start: `schedule`, `load`, `release`.
  let coldStartPhases: Histogram
  /// Tokens as far as the answers tell them, by pool; of `output`, where they do not, the events.
  let promptTokens: Counter
  let outputTokens: Counter
  /// Requests to the admin port that were not let in, by HTTP status.
  let adminRefusals: Counter
  let logDropped: Gauge
  let logFailures: Gauge
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
      "pilotlight_gateway_retries_total", help: "Attempts on another replica, by the pool of the one that failed.",
      labels: service + ["pool"])
    broken = registry.counter(
      "pilotlight_gateway_broken_answers_total", help: "Answers that a replica broke off.",
      labels: service + ["pool"])
    held = registry.gauge("pilotlight_gateway_held_requests", help: "Requests held now.", labels: service)
    inFlight = registry.gauge(
      "pilotlight_gateway_in_flight_requests", help: "Requests at replicas now.", labels: service + ["pool"])
    heldBytes = registry.gauge("pilotlight_gateway_held_bytes", help: "Request bytes kept in memory now.")
    wait = registry.histogram(
      "pilotlight_gateway_wait_seconds", help: "Arrival to first byte upstream, of held requests.",
      labels: service + ["pool"])
    firstByte = registry.histogram(
      "pilotlight_gateway_first_byte_seconds", help: "Arrival to the first byte of the answer.",
      labels: service + ["pool"])
    firstToken = registry.histogram(
      "pilotlight_gateway_first_token_seconds", help: "Arrival to the first event of a streamed answer.",
      labels: service + ["pool"])
    coldStartPhases = registry.histogram(
      "pilotlight_gateway_cold_start_seconds",
      help:
        "Cold starts by phase: schedule (first held request to pod known), load (to healthy), release (to first byte).",
      labels: service + ["phase"])
    promptTokens = registry.counter(
      "pilotlight_gateway_prompt_tokens_total", help: "Prompt tokens, as answers tell them.", labels: service + ["pool"]
    )
    outputTokens = registry.counter(
      "pilotlight_gateway_output_tokens_total", help: "Output tokens, as answers tell them or by their events.",
      labels: service + ["pool"])
    adminRefusals = registry.counter(
      "pilotlight_gateway_admin_refusals_total", help: "Requests to the admin port that were not let in.",
      labels: ["code"])
    logDropped = registry.gauge(
      "pilotlight_gateway_request_log_dropped_rows", help: "Rows of --request-log lost since the start.")
    logFailures = registry.gauge(
      "pilotlight_gateway_request_log_failures", help: "Writes of --request-log that failed since the start.")
    readyToFirstByte = registry.histogram(
      "pilotlight_gateway_ready_to_first_byte_seconds", help: "Pod ready to the first byte sent to it.",
      labels: service)
  }
}
