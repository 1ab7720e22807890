import Decisions
import KubernetesAPI
import Testing

@testable import pilotlight

/// What `pilotlight report` prints, in each of its forms.
struct ReportTests {
  private static let hour = LedgerBook.millisecondsPerHour

  /// Two hours of one replica and ten requests; `change` has the last word.
  private static func report(_ change: (inout LedgerBook) -> Void = { _ in }) -> LedgerReport {
    var book = LedgerBook(namespace: "team", day: 0, from: 0)
    book.to = 2 * hour
    book.rates = [
      LedgerRates(
        currency: "EUR", hourlyPrice: 2, priceMethod: .spec, idleWatts: 500, busyWatts: 500, powerMethod: .spec,
        carbonGramsPerKWh: 400, carbonMethod: .table, embodiedGramsPerHour: 50, embodiedMethod: .settings)
    ]
    var model = LedgerBook.Model(since: 0)
    for number in 0..<2 {
      model.replicas[.init(hour: number, pool: "burst", rate: 0)] = ReplicaTime(ready: hour)
      model.usage[.init(hour: number, pool: "burst", tenant: "a")] = LedgerCounts(
        requests: 5, servingMilliseconds: 1000)
    }
    model.capacity = .init(
      advice: CapacityAdvice(bend: 6.5, concurrency: 11.5, aloneSeconds: 0.25, samples: 600), at: hour)
    book.models["llm"] = model
    change(&book)
    return LedgerReport([book], from: 0, to: 2 * hour, now: 2 * hour)
  }

  private static func rows(_ csv: String) -> [[String: String]] {
    let lines = csv.split(separator: "\r\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return lines.dropFirst().map { Dictionary(zip(lines[0], $0), uniquingKeysWith: { $1 }) }
  }

  @Test("With a figure for the hardware, SCI has embodied emissions in it, and each form says so")
  func withEmbodied() throws {
    let report = Self.report()
    let table = UsageTable.text(report)
    #expect(table.contains("G/REQUEST: SCI (ISO/IEC 21031) per request, with embodied emissions (M): settings.\n"))
    let model = try #require(ReportExport.json(report)["models"]?[0])
    #expect(model["sci_embodied"] == "included" && model["embodied_kg"]?.doubleValue == 0.1)
    // 1 kWh at 400 g and 100 g of the hardware, over ten requests.
    #expect(model["sci_grams_per_request"]?.doubleValue == 50)
    for row in Self.rows(ReportExport.csv(report)) {
      #expect(row["embodied_kg"] == "0.05" && row["embodied_method"] == "settings" && row["carbon_kg"] == "0.2")
    }
  }

  @Test("Without one, SCI is operational only, and each form says so")
  func withoutEmbodied() throws {
    let report = Self.report { ($0.rates[0].embodiedGramsPerHour, $0.rates[0].embodiedMethod) = (nil, .none) }
    #expect(UsageTable.text(report).contains("per request, operational only: embodied emissions (M) are not known.\n"))
    let model = try #require(ReportExport.json(report)["models"]?[0])
    #expect(model["sci_embodied"] == "excluded" && model["embodied_kg"] == nil)
    #expect(model["sci_grams_per_request"]?.doubleValue == 40)
    #expect(
      Self.rows(ReportExport.csv(report)).allSatisfy { $0["embodied_kg"] == "" && $0["embodied_method"] == "none" })
    let some = Self.report { book in
      book.rates.append(LedgerRates(idleWatts: 1, busyWatts: 1, carbonGramsPerKWh: 400))
      book.models["owl"] = .init(since: 0)
      book.models["owl"]?.replicas[.init(hour: 0, pool: "burst", rate: 1)] = ReplicaTime(ready: Self.hour)
    }
    #expect(UsageTable.text(some).contains("with embodied emissions (M: none, settings) of team/llm only"))
  }

  @Test(
    "Advice on what a replica carries stands below the table and in the other forms, and nothing where nothing was learned"
  )
  func advice() throws {
    let report = Self.report()
    let line =
      "team/llm: a replica carries about 11.5 requests before first tokens take half as long again; advised: scaling.target 8\n"
    #expect(UsageTable.text(report).hasSuffix(line))
    #expect(
      ReportExport.json(report)["models"]?[0]?["capacity"] == [
        "advised_target": 8, "bend": 6.5, "slow_concurrency": 11.5, "first_token_seconds_alone": 0.25, "samples": 600,
        "since": "1970-01-01T01:00:00Z",
      ])
    #expect(Self.rows(ReportExport.csv(report)).map { $0["advised_target"] } == ["8", "8"])
    let none = Self.report { $0.models["llm"]?.capacity = nil }
    #expect(!UsageTable.text(none).contains("advised"))
    #expect(ReportExport.json(none)["models"]?[0]?["capacity"] == nil)
    #expect(Self.rows(ReportExport.csv(none)).map { $0["advised_target"] } == ["", ""])
  }

  @Test(
    "Waits are worth money, and time of a replica where that has a price; without a price of waiting, nothing is said")
  func waiting() throws {
    // Two minutes of waiting at 30 an hour are 1; a replica of 2 an hour runs half an hour for that.
    let report = Self.report { book in
      book.rates[0].waitingHourlyPrice = 30
      book.models["llm"]?.replicas[.init(hour: 1, pool: "burst", rate: 0)]?.starts = 2
      book.models["llm"]?.usage[.init(hour: 1, pool: "burst", tenant: "a")]?.waits = 3
      book.models["llm"]?.usage[.init(hour: 1, pool: "burst", tenant: "a")]?.waitMilliseconds = 120_000
    }
    #expect(
      UsageTable.text(report).contains(
        "team/llm: 120 s of waiting at EUR 30 an hour are worth EUR 1, as 1800 s of a replica: 900 s for each of 2 burst replicas started\n"
      ))
    #expect(ReportExport.json(report)["models"]?[0]?["burst_starts"] == 2)
    #expect(
      ReportExport.json(report)["models"]?[0]?["waiting"] == [
        "hourly_price": 30.0, "cost": 1.0, "replica_seconds": 1800.0, "replica_seconds_per_start": 900.0,
      ])
    let rows = Self.rows(ReportExport.csv(report))
    #expect(rows.map { $0["waiting_cost"] } == ["0", "1"])
    #expect(rows.map { $0["waiting_replica_seconds"] } == ["0", "1800"])
    #expect(rows.map { $0["starts"] } == ["0", "2"])
    let none = Self.report()
    #expect(!UsageTable.text(none).contains("waiting at"))
    #expect(ReportExport.json(none)["models"]?[0]?["waiting"] == nil)
    #expect(Self.rows(ReportExport.csv(none)).allSatisfy { $0["waiting_cost"] == "" })
    let free = LedgerRates(hourlyPrice: 0, waitingHourlyPrice: 30).waiting(milliseconds: 3_600_000)
    #expect(free?.cost == 30 && free?.replicaSeconds == nil)
  }

  @Test("FOCUS without a price: costs of 0 and no unit price; overflow calls are charges of their own")
  func focus() throws {
    let report = Self.report { book in
      (book.rates[0].hourlyPrice, book.rates[0].priceMethod) = (nil, .none)
      book.models["llm"]?.usage[.init(hour: 0, pool: "overflow-api", tenant: "a")] = LedgerCounts(
        requests: 4, overflowCalls: 4, overflowMicros: 1_000_000)
    }
    let text = FocusExport.csv(report)
    #expect(text.hasPrefix(FocusExport.columns.joined(separator: ",") + "\r\n"))
    #expect(FocusExport.columns.count <= 20 && FocusExport.columns == FocusExport.columns.sorted())
    // Tags, the last column, have commas of their own.
    let rows = Self.rows(text)
    #expect(
      rows.map { $0["ChargeDescription"] } == [
        "Replicas of the burst pool", "Requests to overflow-api", "Replicas of the burst pool",
      ])
    #expect(rows.map { $0["ListUnitPrice"] } == ["", "0.25", ""])
    #expect(rows.map { $0["ListCost"] } == ["0", "1", "0"] && rows.map { $0["PricingQuantity"] } == ["1", "4", "1"])
    #expect(rows.map { $0["PricingUnit"] } == ["Hours", "Requests", "Hours"])
    #expect(
      rows.allSatisfy { $0["ConsumedQuantity"] == $0["PricingQuantity"] && $0["EffectiveCost"] == $0["BilledCost"] })
  }
}
