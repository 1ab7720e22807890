import Decisions
import KubernetesAPI
import Telemetry

/// The ledger as counters, from this process's start on; the stored books are what survives it.
struct LedgerMetrics: Sendable {
  let writes: Counter
  let failures: Counter
  private let replicaSeconds: Counter
  private let requests: Counter
  private let tokens: Counter
  private let waits: Counter
  private let waitSeconds: Counter
  private let cost: Counter
  private let starts: Counter
  private let energy: Counter
  private let carbon: Counter
  private let embodied: Counter

  init(_ registry: MetricsRegistry) {
    let names = ["namespace", "name"]
    writes = registry.counter("pilotlight_ledger_writes_total", help: "Books of the ledger that were stored.")
    failures = registry.counter(
      "pilotlight_ledger_failures_total", help: "Books of the ledger that could not be read or stored.")
    replicaSeconds = registry.counter(
      "pilotlight_ledger_replica_seconds_total", help: "Time of replicas that somebody pays for, by what they did.",
      labels: names + ["pool", "phase"])
    starts = registry.counter(
      "pilotlight_ledger_replica_starts_total", help: "Replicas that began to load.", labels: names + ["pool"])
    requests = registry.counter("pilotlight_ledger_requests_total", help: "Requests that are over.", labels: names)
    tokens = registry.counter(
      "pilotlight_ledger_tokens_total", help: "Tokens of these requests.", labels: names + ["kind"])
    waits = registry.counter("pilotlight_ledger_waits_total", help: "Requests that waited.", labels: names)
    waitSeconds = registry.counter("pilotlight_ledger_wait_seconds_total", help: "How long they did.", labels: names)
    cost = registry.counter(
      "pilotlight_ledger_cost_total", help: "Money for replicas, at the prices told.", labels: names + ["currency"])
    energy = registry.counter(
      "pilotlight_ledger_energy_kwh_total", help: "Energy of replicas, with the site's share.", labels: names)
    carbon = registry.counter(
      "pilotlight_ledger_carbon_kg_total", help: "Carbon dioxide equivalent of that energy.", labels: names)
    embodied = registry.counter(
      "pilotlight_ledger_embodied_kg_total", help: "Their share of what making the hardware emitted.", labels: names)
  }

  /// Counts what an account has grown by.
  func count(_ key: ObjectKey, from before: LedgerSummary, to now: LedgerSummary) {
    let (namespace, name) = (key.namespace, key.name)
    for (pool, time) in [("dedicated", now.dedicated - before.dedicated), ("burst", now.burst - before.burst)]
    where time != ReplicaTime() {
      if time.starts > 0 { starts.increment(namespace, name, pool, by: Double(time.starts)) }
      let phases = [("loading", time.loading), ("busy", time.busy), ("idle", time.ready - time.busy)]
      for (phase, milliseconds) in phases + [("draining", time.draining)] where milliseconds > 0 {
        replicaSeconds.increment(namespace, name, pool, phase, by: Double(milliseconds) / 1000)
      }
    }
    let counts = now.counts - before.counts
    if counts.requests > 0 { requests.increment(namespace, name, by: Double(counts.requests)) }
    if counts.promptTokens > 0 { tokens.increment(namespace, name, "prompt", by: Double(counts.promptTokens)) }
    if counts.outputTokens > 0 { tokens.increment(namespace, name, "output", by: Double(counts.outputTokens)) }
    if counts.waits > 0 {
      waits.increment(namespace, name, by: Double(counts.waits))
      waitSeconds.increment(namespace, name, by: Double(counts.waitMilliseconds) / 1000)
    }
    let bill = now.used - before.used
    if let cost = bill.cost, cost > 0 { self.cost.increment(namespace, name, now.currency, by: cost) }
    if let energy = bill.energyKWh, energy > 0 { self.energy.increment(namespace, name, by: energy) }
    if let carbon = bill.carbonKg, carbon > 0 { self.carbon.increment(namespace, name, by: carbon) }
    if let embodied = bill.embodiedKg, embodied > 0 { self.embodied.increment(namespace, name, by: embodied) }
  }
}
