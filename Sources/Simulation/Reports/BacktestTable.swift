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
    var places: Int
    var unit = ""
    var value: (PolicyReport) -> Double?

    init(_ title: String, places: Int, unit: String = "", _ value: @escaping (PolicyReport) -> Double?) {
      self.title = title
      self.places = places
      self.unit = unit
      self.value = value
    }

    func text(_ number: Double) -> String { number.fixedText(places: places) + unit }
  }

  private static var rows: [Row] {
    [
      Row("replica-hours", places: 2) { $0.replicaHours },
      Row("share of always-on", places: 1, unit: "%") { $0.shareOfAlwaysOn.map { $0 * 100 } },
      Row("cold starts", places: 0) { Double($0.coldStarts) },
      Row("requests that wait", places: 2, unit: "%") { $0.waitingShare * 100 },
      Row("wait p50", places: 2, unit: "s") { $0.waitP50 },
      Row("wait p95", places: 2, unit: "s") { $0.waitP95 },
      Row("wait p99", places: 2, unit: "s") { $0.waitP99 },
      Row("first token p99", places: 2, unit: "s") { $0.firstTokenP99 },
      Row("objective attained", places: 2, unit: "%") { $0.objectiveAttainment.map { $0 * 100 } },
      Row("overflow", places: 2, unit: "%") { $0.overflowShare * 100 },
      Row("money", places: 2) { $0.money },
      Row("kWh", places: 2) { $0.energyKWh },
      Row("kg CO2", places: 2) { $0.carbonGrams.map { $0 / 1000 } },
      Row("cost (replica-seconds)", places: 0) { $0.cost },
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
