import Synchronization
import Telemetry

/// The series of one service, looked up once: counting a request costs no lookup by name.
final class ServiceMetrics: Sendable {
  private let metrics: GatewayMetrics
  private let key: ServiceKey
  private let labels: [String]
  private let byOutcome = Mutex<[Int: Counter.Series]>([:])
  private let wait: Histogram.Series
  private let firstByte: Histogram.Series
  private let firstToken: Histogram.Series

  init(_ metrics: GatewayMetrics, _ key: ServiceKey) {
    self.metrics = metrics
    self.key = key
    labels = [key.namespace, key.name]
    wait = metrics.wait.series(labels)
    firstByte = metrics.firstByte.series(labels)
    firstToken = metrics.firstToken.series(labels)
  }

  /// Counts a request that is over.
  func count(_ call: Call) {
    let record = call.record
    answered(pool: record.pool, status: record.status)
    if let errorCode = record.errorCode { metrics.rejections.increment(key.namespace, key.name, errorCode) }
    if let seconds = record.firstByte { firstByte.observe(Double(seconds) / 1e9) }
    if let seconds = record.firstToken { firstToken.observe(Double(seconds) / 1e9) }
    guard let tokens = call.meter?.tokens else { return }
    let pool = record.pool?.rawValue ?? "none"
    if let prompt = tokens.prompt, prompt > 0 {
      metrics.promptTokens.increment(key.namespace, key.name, pool, by: Double(prompt))
    }
    if let output = tokens.output, output > 0 {
      metrics.outputTokens.increment(key.namespace, key.name, pool, by: Double(output))
    }
  }

  private func answered(pool: Pool?, status: Int) {
    let place = pool == nil ? 0 : pool == .dedicated ? 1 : 2
    let series = byOutcome.withLock { table in
      if let series = table[status * 4 + place] { return series }
      let series = metrics.requests.series(labels + [pool?.rawValue ?? "none", String(status)])
      table[status * 4 + place] = series
      return series
    }
    series.increment()
  }

  func retried() { metrics.retries.increment(key.namespace, key.name) }
  func brokeOff() { metrics.broken.increment(key.namespace, key.name) }
  func startedCold() { metrics.coldStarts.increment(key.namespace, key.name) }
  func waited(seconds: Double) { wait.observe(seconds) }
  func reached(afterReady seconds: Double) { metrics.readyToFirstByte.observe(seconds, key.namespace, key.name) }

  /// A cold start is over: how long each of its phases took, in seconds.
  func woke(_ phases: [ColdStart.Phase: Double]) {
    for (phase, seconds) in phases {
      metrics.coldStartPhases.observe(seconds, key.namespace, key.name, phase.rawValue)
    }
  }

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
