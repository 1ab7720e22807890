import Decisions
import FoundationEssentials
import KubernetesAPI

/// A report for programs: all lines as CSV (RFC 4180), or lines and models as JSON.
enum ReportExport {
  static let columns = [
    "namespace", "model", "pool", "tenant", "hour", "loading_seconds", "busy_seconds", "idle_seconds",
    "draining_seconds", "starts", "requests", "prompt_tokens", "output_tokens", "waits", "wait_seconds",
    "overflow_calls", "overflow_price", "currency", "cost", "price_method", "energy_kwh", "power_method", "pue",
    "pue_method", "carbon_kg", "carbon_method", "embodied_kg", "embodied_method", "waiting_cost",
    "waiting_replica_seconds", "advised_target",
  ]

  static func csv(_ report: LedgerReport) -> String {
    let advice = Dictionary(
      report.models.map { ([$0.namespace, $0.model], $0.capacity?.advice.target) }, uniquingKeysWith: { $1 })
    return rows(
      [columns]
        + report.lines.map { line in
          var fields = fields(line)
          fields["advised_target"] = advice[[line.namespace, line.model]]?.map { JSONValue($0) }
          return columns.map { CSVField.text(fields[$0]) }
        })
  }

  static func rows(_ rows: [[String]]) -> String { rows.map { $0.joined(separator: ",") + "\r\n" }.joined() }

  static func json(_ report: LedgerReport) -> JSONValue {
    [
      "from": .string(time(report.from)), "to": .string(time(report.to)),
      "models": .array(report.models.map(model)),
      "lines": .array(report.lines.map { .object(fields($0).filter { !$0.value.isNull }) }),
      "missing_seconds": .object(report.missing.mapValues(seconds)),
    ]
  }

  private static func model(_ model: LedgerModelReport) -> JSONValue {
    var json: JSONValue = [
      "namespace": .string(model.namespace), "model": .string(model.model), "covered_seconds": seconds(model.covered),
      "unknown_seconds": seconds(model.unknown), "requests": JSONValue(model.counts.requests),
      "replica_seconds": seconds(model.time.paid), "loading_seconds": seconds(model.time.loading),
      "busy_seconds": seconds(model.time.busy), "idle_seconds": seconds(model.time.idle),
      "draining_seconds": seconds(model.time.draining), "burst_starts": JSONValue(model.burstStarts),
      "savings": .array(
        model.comparisons.map { comparison in
          var json: JSONValue = [
            "baseline": .string(comparison.baseline.rawValue), "replica_seconds": seconds(comparison.milliseconds),
          ]
          set(&json, comparison.saved)
          return json
        }),
    ]
    json["currency"] = model.currency.map { .string($0) }
    json["sci_grams_per_request"] = model.intensityPerRequest.map { .double($0) }
    json["sci_embodied"] = .string(model.includesEmbodied ? "included" : "excluded")
    json["capacity"] = model.capacity.map(capacity)
    json["waiting"] = model.waiting.map { waiting($0, perStart: model.waitingPerStart) }
    set(&json, model.bill)
    return json
  }

  private static func capacity(_ note: LedgerBook.CapacityNote) -> JSONValue {
    [
      "advised_target": JSONValue(note.advice.target), "bend": .double(note.advice.bend),
      "slow_concurrency": .double(note.advice.concurrency),
      "first_token_seconds_alone": .double(note.advice.aloneSeconds), "samples": JSONValue(note.advice.samples),
      "since": .string(time(note.at)),
    ]
  }

  private static func waiting(_ worth: WaitingWorth, perStart: Double?) -> JSONValue {
    var json: JSONValue = ["hourly_price": .double(worth.hourlyPrice), "cost": .double(worth.cost)]
    json["replica_seconds"] = worth.replicaSeconds.map { .double($0) }
    json["replica_seconds_per_start"] = perStart.map { .double($0) }
    return json
  }

  private static func set(_ json: inout JSONValue, _ bill: Bill) {
    json["cost"] = bill.cost.map { .double($0) }
    json["energy_kwh"] = bill.energyKWh.map { .double($0) }
    json["carbon_kg"] = bill.carbonKg.map { .double($0) }
    json["embodied_kg"] = bill.embodiedKg.map { .double($0) }
  }

  private static func fields(_ line: LedgerLine) -> [String: JSONValue] {
    let rates = line.rates
    let waiting = rates?.waiting(milliseconds: line.counts.waitMilliseconds)
    func method(_ word: RateMethod?) -> JSONValue { .string((word ?? .none).rawValue) }
    func number(_ value: Double?) -> JSONValue { value.map { .double($0) } ?? .null }
    return [
      "namespace": .string(line.namespace), "model": .string(line.model), "pool": .string(line.pool),
      "tenant": .string(line.tenant), "hour": .string(time(line.hour * LedgerBook.millisecondsPerHour)),
      "loading_seconds": seconds(line.time.loading), "busy_seconds": seconds(line.time.busy),
      "idle_seconds": seconds(line.time.idle), "draining_seconds": seconds(line.time.draining),
      "starts": JSONValue(line.time.starts),
      "requests": JSONValue(line.counts.requests), "prompt_tokens": JSONValue(line.counts.promptTokens),
      "output_tokens": JSONValue(line.counts.outputTokens), "waits": JSONValue(line.counts.waits),
      "wait_seconds": seconds(line.counts.waitMilliseconds), "overflow_calls": JSONValue(line.counts.overflowCalls),
      "overflow_price": .double(Double(line.counts.overflowMicros) / 1e6),
      "currency": .string(rates?.currency ?? ""), "cost": number(rates == nil ? 0 : line.bill.cost),
      "price_method": method(rates?.priceMethod), "energy_kwh": number(rates == nil ? 0 : line.bill.energyKWh),
      "power_method": method(rates?.powerMethod), "pue": number(rates?.effectiveness),
      "pue_method": method(rates?.effectivenessMethod), "carbon_kg": number(rates == nil ? 0 : line.bill.carbonKg),
      "carbon_method": method(rates?.carbonMethod), "embodied_kg": number(rates == nil ? 0 : line.bill.embodiedKg),
      "embodied_method": method(rates?.embodiedMethod), "waiting_cost": number(waiting?.cost),
      "waiting_replica_seconds": number(waiting?.replicaSeconds),
    ]
  }

  private static func seconds(_ milliseconds: Int) -> JSONValue { .double(Double(milliseconds) / 1000) }

  static func time(_ milliseconds: Int) -> String {
    Timestamp.seconds(Date(timeIntervalSince1970: Double(milliseconds) / 1000))
  }
}

/// A field of a CSV row by RFC 4180.
enum CSVField {
  static func text(_ value: JSONValue?) -> String {
    switch value {
    case .string(let text): quoted(text)
    case .integer(let number): String(number)
    case .double(let number): number.decimalText(places: 6)
    default: ""
    }
  }

  static func quoted(_ text: String) -> String {
    guard text.contains(where: { ",\"\r\n".contains($0) }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
