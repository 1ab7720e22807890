import Synchronization
import Telemetry

/// The series of one service, looked up once: counting a request costs no lookup by name.
final class ServiceMetrics: Sendable {
  private let metrics: GatewayMetrics
  private let key: ServiceKey
  private let labels: [String]

  /// The series of a pool, made when it has had its first request.
  private struct PoolSeries {
    let firstByte: Histogram.Series
    let firstToken: Histogram.Series
    let wait: Histogram.Series
  }

  private struct Known {
    var byOutcome: [Int: Counter.Series] = [:]
    var dedicated: PoolSeries?
    var burst: PoolSeries?
    var canary: PoolSeries?

    /// Among the outcomes with one status.
    static func place(of pool: Pool?) -> Int {
      switch pool {
      case nil: 0
      case .dedicated?: 1
      case .burst?: 2
      case .canary?: 3
      }
    }

    func series(of pool: Pool) -> PoolSeries? {
      switch pool {
      case .dedicated: dedicated
      case .burst: burst
      case .canary: canary
      }
    }

    mutating func set(_ series: PoolSeries, of pool: Pool) {
      switch pool {
      case .dedicated: dedicated = series
      case .burst: burst = series
      case .canary: canary = series
      }
    }
  }

  private let known = Mutex(Known())

  init(_ metrics: GatewayMetrics, _ key: ServiceKey) {
    self.metrics = metrics
    self.key = key
    labels = [key.namespace, key.name]
  }

  /// Counts a request that is over.
  func count(_ call: Call) {
    let record = call.record
    let (requests, series) = series(pool: record.pool, status: record.status)
    requests.increment()
    if let errorCode = record.errorCode { metrics.rejections.increment(key.namespace, key.name, errorCode) }
    if let seconds = record.firstByte { series?.firstByte.observe(Double(seconds) / 1e9) }
    if let seconds = record.firstToken { series?.firstToken.observe(Double(seconds) / 1e9) }
    guard let tokens = call.meter?.tokens else { return }
    let pool = record.pool?.rawValue ?? "none"
    if let prompt = tokens.prompt, prompt > 0 {
      metrics.promptTokens.increment(key.namespace, key.name, pool, by: Double(prompt))
    }
    if let output = tokens.output, output > 0 {
      metrics.outputTokens.increment(key.namespace, key.name, pool, by: Double(output))
    }
  }

  private func series(pool: Pool?, status: Int) -> (requests: Counter.Series, pool: PoolSeries?) {
    known.withLock { known in
      let place = Known.place(of: pool)
      let requests: Counter.Series
      if let series = known.byOutcome[status * 4 + place] {
        requests = series
      } else {
        requests = metrics.requests.series(labels + [pool?.rawValue ?? "none", String(status)])
        known.byOutcome[status * 4 + place] = requests
      }
      return (requests, pool.map { series(of: $0, &known) })
    }
  }

  private func series(of pool: Pool, _ known: inout Known) -> PoolSeries {
    if let series = known.series(of: pool) { return series }
    let labels = labels + [pool.rawValue]
    let series = PoolSeries(
      firstByte: metrics.firstByte.series(labels), firstToken: metrics.firstToken.series(labels),
      wait: metrics.wait.series(labels))
    known.set(series, of: pool)
    return series
  }

  /// A replica of the pool failed a request, which is tried again.
  func retried(_ pool: Pool?) { metrics.retries.increment(key.namespace, key.name, pool?.rawValue ?? "none") }
  func brokeOff(_ pool: Pool?) { metrics.broken.increment(key.namespace, key.name, pool?.rawValue ?? "none") }
  func startedCold() { metrics.coldStarts.increment(key.namespace, key.name) }
  func waited(seconds: Double, for pool: Pool) { known.withLock { series(of: pool, &$0).wait }.observe(seconds) }
  func reached(afterReady seconds: Double) { metrics.readyToFirstByte.observe(seconds, key.namespace, key.name) }

  /// A cold start is over: how long each of its phases took, in seconds.
  func woke(_ phases: [ColdStart.Phase: Double]) {
    for (phase, seconds) in phases {
      metrics.coldStartPhases.observe(seconds, key.namespace, key.name, phase.rawValue)
    }
  }

  func show(held: Int, inFlight: [Pool: Int]) {
    metrics.held.set(Double(held), key.namespace, key.name)
    for pool in Pool.allCases where pool != .canary || inFlight[pool] != nil {
      metrics.inFlight.set(Double(inFlight[pool] ?? 0), key.namespace, key.name, pool.rawValue)
    }
    if inFlight[.canary] == nil { metrics.inFlight.remove(key.namespace, key.name, Pool.canary.rawValue) }
  }

  /// The service is gone; what was counted stays, what it carries now does not.
  func forget() {
    metrics.held.remove(key.namespace, key.name)
    for pool in Pool.allCases { metrics.inFlight.remove(key.namespace, key.name, pool.rawValue) }
  }
}
