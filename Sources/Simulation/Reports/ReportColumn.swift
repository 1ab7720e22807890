import Decisions

/// A figure of a report: how it is called in JSON and CSV, and its value.
struct ReportColumn {
  var key: String
  var value: (PolicyReport) -> ReportValue

  static var all: [ReportColumn] {
    [
      ReportColumn(key: "policy") { .text($0.policy) },
      ReportColumn(key: "replica_hours") { .number($0.replicaHours) },
      ReportColumn(key: "share_of_always_on") { .number($0.shareOfAlwaysOn) },
      ReportColumn(key: "cold_starts") { .count($0.coldStarts) },
      ReportColumn(key: "prewarms") { .count($0.prewarms) },
      ReportColumn(key: "requests") { .count($0.requests) },
      ReportColumn(key: "waiting_share") { .number($0.waitingShare) },
      ReportColumn(key: "wait_mean_seconds") { .number($0.meanWaitSeconds) },
      ReportColumn(key: "wait_p50_seconds") { .number($0.waitP50) },
      ReportColumn(key: "wait_p95_seconds") { .number($0.waitP95) },
      ReportColumn(key: "wait_p99_seconds") { .number($0.waitP99) },
      ReportColumn(key: "first_token_p50_seconds") { .number($0.firstTokenP50) },
      ReportColumn(key: "first_token_p99_seconds") { .number($0.firstTokenP99) },
      ReportColumn(key: "objective_attainment") { .number($0.objectiveAttainment) },
      ReportColumn(key: "objective_met") { .flag($0.objectiveIsMet) },
      ReportColumn(key: "overflow_share") { .number($0.overflowShare) },
      ReportColumn(key: "loading_hours") { .number($0.loadingHours) },
      ReportColumn(key: "busy_hours") { .number($0.busyHours) },
      ReportColumn(key: "idle_hours") { .number($0.idleHours) },
      ReportColumn(key: "draining_hours") { .number($0.drainingHours) },
      ReportColumn(key: "cost") { .number($0.cost) },
      ReportColumn(key: "cost_ratio_to_optimum") { .number($0.costRatioToOptimum) },
      ReportColumn(key: "money") { .number($0.money) },
      ReportColumn(key: "overflow_money") { .number($0.overflowMoney) },
      ReportColumn(key: "kwh") { .number($0.energyKWh) },
      ReportColumn(key: "gco2") { .number($0.carbonGrams) },
      ReportColumn(key: "note") { .text($0.note) },
    ]
  }
}

/// A value of a report; nil is `null` in JSON and an empty cell in CSV.
enum ReportValue {
  case text(String?)
  case count(Int)
  case number(Double?)
  case flag(Bool?)

  var json: String {
    switch self {
    case .text(let text): text.map(Self.quoted) ?? "null"
    case .count(let count): String(count)
    case .number(let number): number.map { $0.isFinite ? String($0) : "null" } ?? "null"
    case .flag(let flag): flag.map(String.init) ?? "null"
    }
  }

  var csv: String {
    switch self {
    case .text(let text):
      // RFC 4180: quoted where a separator or a quote is inside.
      text.map {
        $0.contains { ",\"\n\r".contains($0) }
          ? "\"\($0.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\"" : $0
      } ?? ""
    default: json == "null" ? "" : json
    }
  }

  /// A JSON string (RFC 8259, section 7).
  static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\r": out += "\\r"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
