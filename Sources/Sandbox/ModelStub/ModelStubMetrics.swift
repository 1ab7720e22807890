import Telemetry

/// Metrics under vLLM's names, so that what reads a vLLM reads the stub.
struct ModelStubMetrics {
  let registry = MetricsRegistry()
  let running: Gauge.Series
  let waiting: Gauge.Series
  let promptTokens: Counter.Series
  let generationTokens: Counter.Series
  let timeToFirstToken: Histogram.Series
  let timePerOutputToken: Histogram.Series
  let requestLatency: Histogram.Series
  let queueTime: Histogram.Series
  private let successes: Counter
  private let model: String

  init(model: String) {
    self.model = model
    let labels = ["model_name"]
    running = registry.gauge(
      "vllm:num_requests_running", help: "Number of requests currently running.", labels: labels
    ).series([model])
    waiting = registry.gauge(
      "vllm:num_requests_waiting", help: "Number of requests waiting to be processed.", labels: labels
    ).series([model])
    promptTokens = registry.counter(
      "vllm:prompt_tokens_total", help: "Number of prefill tokens processed.", labels: labels
    ).series([model])
    generationTokens = registry.counter(
      "vllm:generation_tokens_total", help: "Number of generation tokens processed.", labels: labels
    ).series([model])
    timeToFirstToken = registry.histogram(
      "vllm:time_to_first_token_seconds", help: "Histogram of time to first token in seconds.", labels: labels
    ).series([model])
    timePerOutputToken = registry.histogram(
      "vllm:time_per_output_token_seconds", help: "Histogram of time per output token in seconds.", labels: labels
    ).series([model])
    requestLatency = registry.histogram(
      "vllm:e2e_request_latency_seconds", help: "Histogram of end to end request latency in seconds.", labels: labels
    ).series([model])
    queueTime = registry.histogram(
      "vllm:request_queue_time_seconds", help: "Histogram of time spent in WAITING phase for request.", labels: labels
    ).series([model])
    successes = registry.counter(
      "vllm:request_success_total", help: "Count of successfully processed requests.",
      labels: ["model_name", "finished_reason"])
  }

  func succeeded(_ reason: String) { successes.increment(model, reason) }
}
