import Decisions
import KubernetesAPI
import Telemetry
import Testing

@testable import Operator

@Suite struct LedgerMetricsTests {
  private static let key = ObjectKey(namespace: "team", name: "llm")

  private func summary(
    _ scale: Int, cost: Double? = 0, energy: Double? = 0, carbon: Double? = 0, embodied: Double? = nil
  ) -> LedgerSummary {
    LedgerSummary(
      since: 0, elapsed: 0,
      dedicated: ReplicaTime(
        loading: 1000 * scale, ready: 10_000 * scale, draining: 500 * scale, busy: 4000 * scale, starts: scale),
      burst: ReplicaTime(ready: 2000 * scale, busy: 2000 * scale),
      counts: LedgerCounts(
        requests: 3 * scale, promptTokens: 50 * scale, outputTokens: 70 * scale, waits: 2 * scale,
        waitMilliseconds: 1500 * scale),
      currency: "EUR", used: Bill(cost: cost, energyKWh: energy, carbonKg: carbon, embodiedKg: embodied))
  }

  private func samples(_ registry: MetricsRegistry) -> Set<String> {
    Set(registry.render().split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init))
  }

  @Test("What an account has grown by is counted, by pool, phase, kind and currency")
  func counts() {
    let registry = MetricsRegistry()
    let metrics = LedgerMetrics(registry)
    metrics.count(
      Self.key, from: summary(1, cost: 1, energy: 2, carbon: 3, embodied: 1),
      to: summary(3, cost: 5, energy: 3, carbon: 3.5, embodied: 1.25))
    let model = #"namespace="team",name="llm""#
    let found = samples(registry)
    for line in [
      #"pilotlight_ledger_replica_seconds_total{\#(model),pool="dedicated",phase="loading"} 2"#,
      #"pilotlight_ledger_replica_seconds_total{\#(model),pool="dedicated",phase="busy"} 8"#,
      #"pilotlight_ledger_replica_seconds_total{\#(model),pool="dedicated",phase="idle"} 12"#,
      #"pilotlight_ledger_replica_seconds_total{\#(model),pool="dedicated",phase="draining"} 1"#,
      #"pilotlight_ledger_replica_seconds_total{\#(model),pool="burst",phase="busy"} 4"#,
      #"pilotlight_ledger_replica_starts_total{\#(model),pool="dedicated"} 2"#,
      "pilotlight_ledger_requests_total{\(model)} 6", #"pilotlight_ledger_tokens_total{\#(model),kind="prompt"} 100"#,
      #"pilotlight_ledger_tokens_total{\#(model),kind="output"} 140"#, "pilotlight_ledger_waits_total{\(model)} 4",
      "pilotlight_ledger_wait_seconds_total{\(model)} 3", #"pilotlight_ledger_cost_total{\#(model),currency="EUR"} 4"#,
      "pilotlight_ledger_energy_kwh_total{\(model)} 1", "pilotlight_ledger_carbon_kg_total{\(model)} 0.5",
      "pilotlight_ledger_embodied_kg_total{\(model)} 0.25",
    ] { #expect(found.contains(line), "\(line) is not in \(found.sorted())") }
    // The burst pool was never idle: no such series.
    #expect(!found.contains { $0.contains(#"pool="burst",phase="idle""#) })
  }

  @Test("Counters never fall, and what is not known is not counted")
  func never() {
    let registry = MetricsRegistry()
    let metrics = LedgerMetrics(registry)
    // The book was read again after a conflict: it says less than was counted.
    metrics.count(
      Self.key, from: summary(3, cost: 5, energy: 5, carbon: 5), to: summary(1, cost: 1, energy: 1, carbon: 1))
    metrics.count(Self.key, from: summary(1, cost: nil, energy: nil, carbon: nil), to: summary(1, cost: 1, energy: nil))
    #expect(
      samples(registry).allSatisfy {
        $0.hasPrefix("pilotlight_ledger_writes_total") || $0.hasPrefix("pilotlight_ledger_failures_total")
      })
  }
}
