import Decisions
import FoundationEssentials
import KubernetesAPI

/// A report as CSV in columns of FOCUS (FinOps Open Cost and Usage Specification); `docs/ledger.md` says what each holds.
///
/// A row is replica time of one tenant, pool, model and hour at one price, or its overflow calls.
enum FocusExport {
  static let version = "1.2"

  static let columns = [
    "BilledCost", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeDescription",
    "ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit", "EffectiveCost", "ListCost",
    "ListUnitPrice", "PricingQuantity", "PricingUnit", "ResourceId", "ServiceCategory", "ServiceName", "SubAccountId",
    "Tags",
  ]

  static func csv(_ report: LedgerReport) -> String {
    ReportExport.rows([columns] + report.lines.flatMap(charges).map { row in columns.map { row[$0] ?? "" } })
  }

  private static func charges(_ line: LedgerLine) -> [[String: String]] {
    var rows: [[String: String]] = []
    if let rates = line.rates, line.time.paid > 0 {
      let hours = Double(line.time.paid) / 3_600_000
      var row = common(line, currency: rates.currency)
      row["ChargeDescription"] = "Replicas of the \(line.pool) pool"
      set(&row, cost: line.bill.cost, unitPrice: rates.hourlyPrice, quantity: hours, unit: "Hours")
      rows.append(row)
    }
    if line.counts.overflowCalls > 0 {
      let cost = Double(line.counts.overflowMicros) / 1e6
      var row = common(line, currency: line.rates?.currency ?? "USD")
      row["ChargeDescription"] = "Requests to \(line.pool)"
      let calls = Double(line.counts.overflowCalls)
      set(&row, cost: cost, unitPrice: cost / calls, quantity: calls, unit: "Requests")
      rows.append(row)
    }
    return rows
  }

  /// Costs have no discounts here: billed, effective and list cost are the same. Without a price they are zero and the unit
  /// price is null.
  private static func set(
    _ row: inout [String: String], cost: Double?, unitPrice: Double?, quantity: Double, unit: String
  ) {
    let text = (cost ?? 0).decimalText(places: 6)
    (row["BilledCost"], row["EffectiveCost"], row["ListCost"]) = (text, text, text)
    row["ListUnitPrice"] = unitPrice.map { $0.decimalText(places: 6) }
    let amount = quantity.decimalText(places: 6)
    (row["PricingQuantity"], row["ConsumedQuantity"]) = (amount, amount)
    (row["PricingUnit"], row["ConsumedUnit"]) = (unit, unit)
  }

  private static func common(_ line: LedgerLine, currency: String) -> [String: String] {
    let begin = line.hour * LedgerBook.millisecondsPerHour
    let (month, next) = billingPeriod(begin)
    let tags: JSONValue = [
      "pilotlight/model": .string(line.model), "pilotlight/pool": .string(line.pool),
      "pilotlight/tenant": .string(line.tenant),
    ]
    return [
      "BillingCurrency": currency, "BillingPeriodStart": month, "BillingPeriodEnd": next, "ChargeCategory": "Usage",
      "ChargePeriodStart": ReportExport.time(begin),
      "ChargePeriodEnd": ReportExport.time(begin + LedgerBook.millisecondsPerHour),
      "ResourceId": CSVField.quoted("\(line.namespace)/\(line.model)/\(line.pool)"),
      "ServiceCategory": "AI and Machine Learning", "ServiceName": "Pilotlight",
      "SubAccountId": line.namespace, "Tags": CSVField.quoted(tags.text),
    ]
  }

  /// The calendar month (UTC).
  private static func billingPeriod(_ milliseconds: Int) -> (start: String, end: String) {
    let date = ReportExport.time(milliseconds)
    let year = Int(date.prefix(4)) ?? 1970
    let month = Int(date.dropFirst(5).prefix(2)) ?? 1
    func first(_ year: Int, _ month: Int) -> String { "\(year)-\(month < 10 ? "0" : "")\(month)-01T00:00:00Z" }
    return (first(year, month), month == 12 ? first(year + 1, 1) : first(year, month + 1))
  }
}
