/// A report as JSON or CSV.
public struct ReportDocument {
  /// What the simulation was asked for, as key and JSON value, in order.
  public var settings: [(key: String, json: String)]
  public var result: SimulationResult
  public init(_ result: SimulationResult, settings: [(key: String, json: String)]) {
    self.result = result
    self.settings = settings
  }

  public var json: String {
    let policies = result.reports.map { report in
      "    {"
        + ReportColumn.all.map { "\(ReportValue.quoted($0.key)): \($0.value(report).json)" }.joined(separator: ", ")
        + "}"
    }
    let settings = settings.map { "    \(ReportValue.quoted($0.key)): \($0.json)" }
    return """
      {
        "requests": \(result.requests),
        "models": \(result.outcomes.first?.models.count { $0.requests > 0 } ?? 0),
        "seconds": \(result.seconds),
        "settings": {
      \(settings.joined(separator: ",\n"))
        },
        "policies": [
      \(policies.joined(separator: ",\n"))
        ]
      }
      """
  }

  public var csv: String {
    let header = ReportColumn.all.map(\.key).joined(separator: ",")
    let rows = result.reports.map { report in ReportColumn.all.map { $0.value(report).csv }.joined(separator: ",") }
    return ([header] + rows).joined(separator: "\n")
  }

  /// A text as JSON.
  public static func quoted(_ text: String) -> String { ReportValue.quoted(text) }
}
