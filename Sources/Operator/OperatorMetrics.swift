import Telemetry

/// What the controller counts and measures.
struct OperatorMetrics: Sendable {
  let requestToPatch: Histogram
  let coldStart: Histogram
  let scaleWrites: Counter
  let statusWrites: Counter
  let applies: Counter
  let failedWakes: Counter

  init(_ registry: MetricsRegistry) {
    requestToPatch = registry.histogram(
      "pilotlight_request_to_patch_seconds",
      help: "From the arrival of the request that wakes a model to the API server's answer to the scale patch.")
    coldStart = registry.histogram(
      "pilotlight_cold_start_seconds", help: "From the scale patch of a wake to the first ready replica.")
    scaleWrites = registry.counter("pilotlight_scale_writes_total", help: "Changes of a Deployment's scale.")
    statusWrites = registry.counter("pilotlight_status_writes_total", help: "Writes of an InferenceService's status.")
    applies = registry.counter("pilotlight_applies_total", help: "Server-side applies of objects that differed.")
    failedWakes = registry.counter("pilotlight_failed_wakes_total", help: "Wakes that ended without a ready replica.")
  }
}
