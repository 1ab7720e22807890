import Decisions

/// What a change would have done: two outcomes side by side, and the difference.
public struct BacktestTable {
  private let before: PolicyReport
  private let after: PolicyReport

  /// - Parameter result: of two contenders, the old one first.
  public init(_ result: SimulationResult) {
    let reports = result.reports
    before = reports[0]
    after = reports[reports.count - 1]
  }

  private struct Row {
    var title: String
    var value: (PolicyReport) -> Double?
    var text: (Double) -> String
  }

  private static var rows: [Row] {
    [
      Row(title: "replica-hours", value: \.replicaHours) { $0.fixedText(places: 2) },
      Row(title: "share of always-on", value: { $0.shareOfAlwaysOn.map { $0 * 100 } }) { $0.fixedText(places: 1) + "%" },
      Row(title: "cold starts", value: { Double($0.coldStarts) }) { $0.fixedText(places: 0) },
      Row(title: "requests that wait", value: { $0.waitingShare * 100 }) { $0.fixedText(places: 2) + "%" },
      Row(title: "wait p50", value: \.waitP50) { $0.fixedText(places: 2) + "s" },
      Row(title: "wait p95", value: \.waitP95) { $0.fixedText(places: 2) + "s" },
      Row(title: "wait p99", value: \.waitP99) { $0.fixedText(places: 2) + "s" },
      Row(title: "first token p99", value: \.firstTokenP99) { $0.fixedText(places: 2) + "s" },
      Row(title: "objective attained", value: { $0.objectiveAttainment.map { $0 * 100 } }) {
        $0.fixedText(places: 2) + "%"
      },
      Row(title: "overflow", value: { $0.overflowShare * 100 }) { $0.fixedText(places: 2) + "%" },
      Row(title: "money", value: \.money) { $0.fixedText(places: 2) },
      Row(title: "kWh", value: \.energyKWh) { $0.fixedText(places: 2) },
      Row(title: "kg CO2", value: { $0.carbonGrams.map { $0 / 1000 } }) { $0.fixedText(places: 2) },
      Row(title: "cost (replica-seconds)", value: \.cost) { $0.fixedText(places: 0) },
    ]
  }

  public var text: String {
    var lines = [["", before.policy.uppercased(), after.policy.uppercased(), "CHANGE", "%"]]
    for row in Self.rows {
      guard let old = row.value(before), let new = row.value(after) else { continue }
      let change = new - old
      let sign = change > 0 ? "+" : ""
      let percent = old != 0 ? "\(sign)\((change / old * 100).fixedText(places: 1))%" : "-"
      lines.append([row.title, row.text(old), row.text(new), sign + row.text(change), percent])
    }
    return ReportTable.aligned(lines)
  }
}
