import Decisions
import KubernetesAPI

/// What a whole installation is told, in the ConfigMap `pilotlight` of its own namespace: one key, `settings.json`.
///
/// Nothing in it is needed. Where a flag of the command line says the same, the flag holds.
public struct InstallationSettings: Hashable, Sendable {
  public static let configMapName = "pilotlight"
  /// Selects that ConfigMap alone.
  public static let fieldSelector = "metadata.name=\(configMapName)"
  public static let dataKey = "settings.json"
  /// Where nothing says another one.
  public static let defaultDomain = "pilotlight.local"

  /// Nil: the command line's.
  public var domain: String?
  /// Requests that a gateway holds; nil: the command line's.
  public var heldRequests: Int?
  /// Bytes of bodies that a gateway holds; nil: the command line's.
  public var heldBytes: Int?
  public var headTimeout: Duration?
  public var bodyTimeout: Duration?
  public var idleTimeout: Duration?
  public var currency: String
  /// How long books of the ledger are kept.
  public var ledgerRetentionDays = 400
  /// A changed book of the ledger is stored this often.
  public var ledgerWriteInterval: Duration = .seconds(300)
  private(set) var fallback: Rates
  private(set) var namespaces: [String: Rates]
  private(set) var nodes: [NodeRates]

  /// What a replica costs, as far as it is told.
  struct Rates: Hashable, Sendable {
    var hourlyPrice: Double?
    var powerWatts: Double?
    var carbonGramsPerKWh: Double?
    /// 1.15: the site draws 15 % more than its computers.
    var effectiveness: Double?
    var region: GridRegion?
    /// What making a replica's hardware emitted, per hour of its life.
    var embodiedGramsPerHour: Double?

    var grams: Double? { carbonGramsPerKWh ?? region?.grams }
  }

  struct NodeRates: Hashable, Sendable {
    var label: String
    var value: String
    var rates: Rates
  }

  /// Nothing is set.
  public init() {
    currency = "USD"
    fallback = Rates()
    namespaces = [:]
    nodes = []
  }

  /// Reads the ConfigMap; nil: there is none. - Throws: ``InvalidSettings`` that names each field that is wrong.
  public init(configMap: KubernetesObject?) throws(InvalidSettings) {
    guard let data = configMap?.json["data"]?.objectValue else {
      self.init()
      return
    }
    if let other = data.keys.filter({ $0 != Self.dataKey }).min() {
      throw InvalidSettings(["data[\(other)]: unknown key; settings are in data[\(Self.dataKey)]"])
    }
    try self.init(text: data[Self.dataKey]?.stringValue ?? "{}")
  }

  /// Reads the document. - Throws: ``InvalidSettings``.
  public init(text: String) throws(InvalidSettings) {
    let json: JSONValue
    do { json = try JSONValue(parsing: text) } catch { throw InvalidSettings(["not JSON: \(error)"]) }
    // A misspelt field would be silently without effect: here, unlike in a stored object, it is an error.
    let unknown = Self.schema.unknownFields(in: json).map { "\($0): unknown field" }
    guard unknown.isEmpty else { throw InvalidSettings(unknown) }
    let value = Self.schema.defaulted(json)
    let causes = Self.schema.violations(in: value)
    guard causes.isEmpty else { throw InvalidSettings(causes.map { "\($0.field): \($0.message)" }) }
    self.init(valid: FieldReader(value))
  }

  private init(valid reader: FieldReader) {
    let (hold, timeouts, economics) = (reader.block("hold"), reader.block("timeouts"), reader.block("economics"))
    domain = reader.text("domain")
    heldRequests = hold.integer("maxRequests")
    heldBytes = hold.integer("maxBytes")
    headTimeout = timeouts.duration("head")
    bodyTimeout = timeouts.duration("body")
    idleTimeout = timeouts.duration("idle")
    let ledger = reader.block("ledger")
    ledgerRetentionDays = ledger.integer("retentionDays") ?? ledgerRetentionDays
    ledgerWriteInterval = ledger.duration("writeInterval") ?? ledgerWriteInterval
    currency = economics.text("currency") ?? "USD"
    fallback = Rates(economics)
    namespaces = Dictionary(
      reader.blocks("namespaces").map { ($0.text("name") ?? "", Rates($0.block("economics"))) },
      uniquingKeysWith: { first, _ in first })
    nodes = reader.blocks("nodes").map {
      NodeRates(
        label: $0.text("label") ?? "", value: $0.text("value") ?? "", rates: Rates($0.block("economics")))
    }
  }
}

extension InstallationSettings.Rates {
  /// How long a server is used where nothing is said, as Cloud Carbon Footprint's methodology has it.
  private static let lifetimeYears = 4

  fileprivate init(_ reader: FieldReader) {
    hourlyPrice = reader.price("hourlyPrice")?.doubleValue
    powerWatts = reader.integer("powerWatts").map(Double.init)
    carbonGramsPerKWh = reader.integer("carbonGramsPerKWh").map(Double.init)
    effectiveness = reader.integer("puePercent").map { Double($0) / 100 }
    region = reader.text("gridRegion").flatMap(GridRegion.named)
    embodiedGramsPerHour = reader.integer("embodiedKilograms").map { kilograms in
      let years = reader.integer("lifetimeYears") ?? Self.lifetimeYears
      return Double(kilograms) * 1000 / (Double(years) * 8760)
    }
  }
}

/// Why settings are not taken over.
public struct InvalidSettings: Error, Hashable, Sendable, CustomStringConvertible {
  /// A field with its path and what would be accepted, each.
  public let problems: [String]
  init(_ problems: [String]) { self.problems = problems }
  public var description: String { problems.joined(separator: "; ") }
}

extension InstallationSettings {
  /// What is known of a service's costs: its own `spec.economics`, then what is set for the nodes that a pool asks for, for its
  /// namespace, and for all. Prices of another currency than the service's own are left out: no rate of exchange is known.
  /// - Parameters:
  ///   - dedicatedNodes: `nodeSelector` of the dedicated pool's pods.
  ///   - burstNodes: the same of the burst pool.
  public func economics(
    of service: InferenceService, dedicatedNodes: [String: String], burstNodes: [String: String]
  ) -> Economics {
    var economics = service.economics
    if service.spec.economics == nil { economics.currency = currency }
    let namespace = namespaces[service.key.namespace] ?? Rates()
    let knowsPrices = economics.currency == currency
    func completed(_ own: ReplicaPrice, _ node: Rates) -> ReplicaPrice {
      let price = node.hourlyPrice ?? namespace.hourlyPrice ?? fallback.hourlyPrice
      return ReplicaPrice(
        perHour: own.perHour ?? (knowsPrices ? price : nil),
        powerWatts: own.powerWatts ?? node.powerWatts ?? namespace.powerWatts ?? fallback.powerWatts)
    }
    let (dedicated, burst) = (rates(of: dedicatedNodes), rates(of: burstNodes))
    economics.dedicated = completed(economics.dedicated, dedicated)
    economics.burst = completed(economics.burst, burst)
    economics.carbonGramsPerKWh =
      economics.carbonGramsPerKWh ?? burst.grams ?? dedicated.grams ?? namespace.grams ?? fallback.grams
    return economics
  }

  private func rates(of selector: [String: String]) -> Rates {
    nodes.first { selector[$0.label] == $0.value }?.rates ?? Rates()
  }
}
