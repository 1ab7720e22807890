import Decisions
import FoundationEssentials
import KubernetesAPI

/// A report for people: a line per model, sums, and how each figure came about.
enum UsageTable {
  private static let header = [
    "NAMESPACE", "MODEL", "REQUESTS", "TOKENS", "WAITED", "REPLICA-S", "LOADING", "BUSY", "IDLE", "DRAINING", "COST",
    "KWH", "KGCO2", "G/REQUEST", "SAVED (PEAK)", "SAVED (FLOOR)", "NO DATA",
  ]

  static func text(_ report: LedgerReport) -> String {
    var text = "From \(time(report.from)) to \(time(report.to)) (\((report.to - report.from) / 1000) s)\n"
    guard !report.models.isEmpty else { return text + "The ledger has nothing of this period.\n" }
    text += align([header] + report.models.map(row))
    for (namespace, missing) in report.missing.sorted(by: { $0.key < $1.key }) where missing > 0 {
      text += "\(namespace): \(missing / 1000) s of the period have no data\n"
    }
    text += "SAVED (PEAK): against as many replicas as were needed at most, all the time. SAVED (FLOOR): against the\n"
    text += "dedicated replicas, at least one, all the time, and beyond them what was needed, while it was.\n"
    text += "COST: \(methods(report, \.priceMethod)). KWH: power \(methods(report, \.powerMethod)), "
    text += "PUE \(methods(report, \.effectivenessMethod)). KGCO2: \(methods(report, \.carbonMethod)), by location.\n"
    text += "G/REQUEST: SCI (ISO/IEC 21031) per request, \(embodied(report)).\n"
    return text + report.models.compactMap(waiting).joined() + report.models.compactMap(advice).joined()
  }

  private static func row(_ model: LedgerModelReport) -> [String] {
    let (time, counts) = (model.time, model.counts)
    let waited = counts.waits > 0 ? "\(counts.waits) (\(seconds(counts.waitMilliseconds)) s)" : "0"
    return [
      model.namespace, model.model, "\(counts.requests)", "\(counts.promptTokens + counts.outputTokens)", waited,
      seconds(time.paid), seconds(time.loading), seconds(time.busy), seconds(time.idle), seconds(time.draining),
      money(model.bill.cost, model), figure(model.bill.energyKWh), figure(model.bill.carbonKg),
      figure(model.intensityPerRequest),
    ] + model.comparisons.map { saved($0, model) } + [model.unknown > 0 ? "\(seconds(model.unknown)) s" : "0"]
  }

  private static func saved(_ comparison: LedgerComparison, _ model: LedgerModelReport) -> String {
    guard comparison.milliseconds > 0 else { return "-" }
    if let cost = comparison.saved.cost, let used = model.bill.cost, cost + used > 0 {
      return "\(money(cost, model)) (\(Int((cost / (cost + used) * 100).rounded(.towardZero)))%)"
    }
    let share = 1 - Double(model.time.paid) / Double(comparison.milliseconds)
    return "\(Int((share * 100).rounded(.towardZero)))% of the time"
  }

  private static func methods(_ report: LedgerReport, _ method: (LedgerRates) -> RateMethod) -> String {
    let words = Set(report.lines.compactMap { $0.rates.map { method($0).rawValue } })
    return words.isEmpty ? "none" : words.sorted().joined(separator: ", ")
  }

  private static func embodied(_ report: LedgerReport) -> String {
    let with = report.models.filter(\.includesEmbodied)
    if with.isEmpty { return "operational only: embodied emissions (M) are not known" }
    let method = methods(report, \.embodiedMethod)
    if with.count == report.models.count { return "with embodied emissions (M): \(method)" }
    let names = with.map { "\($0.namespace)/\($0.model)" }.joined(separator: ", ")
    return "with embodied emissions (M: \(method)) of \(names) only"
  }

  /// What the waits were worth; nil: nobody waited, or nobody says what that is.
  private static func waiting(_ model: LedgerModelReport) -> String? {
    guard let worth = model.waiting, model.counts.waits > 0 else { return nil }
    let replica = worth.replicaSeconds.map { ", as \($0.decimalText(places: 1)) s of a replica" } ?? ""
    let each = model.waitingPerStart.map {
      ": \($0.decimalText(places: 1)) s for each of \(model.burstStarts) burst replicas started"
    }
    return
      "\(model.namespace)/\(model.model): \(seconds(model.counts.waitMilliseconds)) s of waiting at "
      + "\(money(worth.hourlyPrice, model)) an hour are worth \(money(worth.cost, model))\(replica)\(each ?? "")\n"
  }

  /// What was learned of a replica of the model; nil: nothing.
  private static func advice(_ model: LedgerModelReport) -> String? {
    guard let advice = model.capacity?.advice else { return nil }
    return
      "\(model.namespace)/\(model.model): a replica carries about \(advice.concurrency.decimalText(places: 1)) requests before "
      + "first tokens take half as long again; advised: scaling.target \(advice.target)\n"
  }

  private static func money(_ amount: Double?, _ model: LedgerModelReport) -> String {
    amount.map { "\(model.currency ?? "") \($0.decimalText(places: 4))" } ?? "-"
  }
  private static func figure(_ value: Double?) -> String { value.map { $0.decimalText(places: 4) } ?? "-" }
  private static func seconds(_ milliseconds: Int) -> String { (Double(milliseconds) / 1000).decimalText(places: 1) }
  private static func time(_ milliseconds: Int) -> String {
    Timestamp.seconds(Date(timeIntervalSince1970: Double(milliseconds) / 1000))
  }

  private static func align(_ rows: [[String]]) -> String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
