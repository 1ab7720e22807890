import Decisions

/// A report for a terminal.
public struct ReportTable {
  private let reports: [PolicyReport]
  private let result: SimulationResult
  public init(_ result: SimulationResult) {
    self.result = result
    reports = result.reports
  }

  private struct Column {
    var title: String
    var cell: (PolicyReport) -> String?
  }

  /// Columns that say nothing for any policy are left out.
  public var text: String {
    let columns = Self.columns.filter { column in reports.contains { column.cell($0) != nil } }
    let rows = [columns.map(\.title)] + reports.map { report in columns.map { $0.cell(report) ?? "-" } }
    return Self.aligned(rows)
  }

  private static var columns: [Column] {
    [
      Column(title: "POLICY") { $0.policy },
      Column(title: "REPLICA-H") { $0.replicaHours.fixedText(places: 1) },
      Column(title: "ALWAYS-ON") { $0.shareOfAlwaysOn?.percentText },
      Column(title: "COLD") { String($0.coldStarts) },
      Column(title: "WAITING") { $0.waitingShare.percentText },
      Column(title: "P50") { $0.waitP50.secondsText },
      Column(title: "P95") { $0.waitP95.secondsText },
      Column(title: "P99") { $0.waitP99.secondsText },
      Column(title: "OBJECTIVE") { $0.objectiveAttainment.map { ($0 * 100).fixedText(places: 2) + "%" } },
      Column(title: "OVERFLOW") { $0.overflowShare > 0 ? $0.overflowShare.percentText : nil },
      Column(title: "MONEY") { $0.money?.fixedText(places: 2) },
      Column(title: "KWH") { $0.energyKWh?.fixedText(places: 1) },
      Column(title: "KGCO2") { $0.carbonGrams.map { ($0 / 1000).fixedText(places: 1) } },
      Column(title: "COST") { $0.cost.fixedText(places: 0) },
      Column(title: "RATIO") { $0.costRatioToOptimum?.fixedText(places: 3) },
      Column(title: "NOTE") { $0.note },
    ]
  }

  /// Columns side by side: the first and the last to the left, numbers to the right.
  static func aligned(_ rows: [[String]]) -> String {
    guard let header = rows.first else { return "" }
    let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { index, cell in
        let padding = String(repeating: " ", count: widths[index] - cell.count)
        if header[index] == "NOTE" { return cell }
        return index == 0 ? cell + padding : padding + cell
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}

extension Double {
  /// Decimal text with exactly `places` digits after the point (0 to 6).
  func fixedText(places: Int) -> String {
    guard isFinite, abs(self) < 1e12 else { return "-" }
    var scale: Int64 = 1
    for _ in 0..<max(0, min(6, places)) { scale *= 10 }
    let scaled = Int64((abs(self) * Double(scale)).rounded())
    let sign = self < 0 && scaled > 0 ? "-" : ""
    if scale == 1 { return "\(sign)\(scaled)" }
    let fraction = String(scaled % scale)
    return "\(sign)\(scaled / scale)." + String(repeating: "0", count: places - fraction.count) + fraction
  }
  var percentText: String { (self * 100).fixedText(places: 1) + "%" }
  /// A wait: milliseconds below 1 s, seconds below 1000 s, else as people write it.
  var secondsText: String {
    if self == 0 { return "0" }
    if self < 1 { return (self * 1000).fixedText(places: 0) + "ms" }
    return self < 1000 ? fixedText(places: 1) + "s" : Duration.seconds(self).shortText
  }
}
