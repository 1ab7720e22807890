import CurlTransport
import Decisions
import FleetProtocol
import FoundationEssentials
import InferenceAPI
import KubernetesAPI
import KubernetesClient
import Operator

/// `pilotlight report`: what models used, cost and saved, by the ledger. A link `kubectl-pilotlight` to the binary makes it
/// `kubectl pilotlight report`.
enum ReportCommand {
  static let help = """
    usage: pilotlight report [options]

      --from TIME           begin, as 2026-11-27, 2026-11-27T08:00:00Z or a duration ago such as 24h; default: 24h
      --to TIME             end, likewise; default: now. Both are widened to whole hours (UTC)
      -n NAMESPACE          of the models; default: all namespaces
      -o FORMAT             table, csv, json or focus (FOCUS \(FocusExport.version) columns); default: table
      --kubeconfig FILE     the cluster; default: KUBECONFIG, else the pod's service account
      --system-namespace N  Pilotlight's own namespace (\(ActivationLease.defaultNamespace))
    """

  enum Format: String {
    case table, csv, json, focus
  }

  static func run(_ arguments: [String]) async -> Int32 {
    await CommandFrame.run("report", arguments, help: help) { scanner in try await run(Options(&scanner)) }
  }

  struct Options {
    var from: Int
    var to: Int
    var now: Int
    var namespace: String?
    var format: Format
    var kubeconfig: String?
    var home: String

    init(_ scanner: inout ArgumentScanner, now: Date = SystemClock().now().wall) throws {
      self.now = Int(now.timeIntervalSince1970 * 1000)
      let hour = LedgerBook.millisecondsPerHour
      let begin = try Self.time(try scanner.text("--from") ?? "24h", "--from", now: self.now)
      let end = try Self.time(try scanner.text("--to") ?? "0s", "--to", now: self.now)
      guard begin < end else { throw ArgumentScanner.Problem("--from must be before --to") }
      from = begin / hour * hour
      to = (end + hour - 1) / hour * hour
      namespace = try scanner.text("-n")
      let word = try scanner.text("-o") ?? "table"
      guard let format = Format(rawValue: word) else {
        throw ArgumentScanner.Problem("-o: '\(word)' is none of table, csv, json and focus")
      }
      self.format = format
      kubeconfig = try scanner.text("--kubeconfig")
      home = try scanner.text("--system-namespace") ?? ActivationLease.defaultNamespace
      try scanner.finish()
    }

    private static func time(_ text: String, _ option: String, now: Int) throws(ArgumentScanner.Problem) -> Int {
      if let ago = GatewayDuration.parse(text) { return now - Int(ago.inSeconds * 1000) }
      if let moment = Timestamp.parse(text.count == 10 ? "\(text)T00:00:00Z" : text) {
        return Int(moment.timeIntervalSince1970 * 1000)
      }
      throw ArgumentScanner.Problem(
        "\(option): '\(text)' is no time such as 2026-11-27, 2026-11-27T08:00:00Z or 24h (ago)")
    }
  }

  private static func run(_ options: Options) async throws -> Int32 {
    let connection = try ClusterConnection(
      kubeconfig: options.kubeconfig, limit: RequestRateLimit(perSecond: 50, burst: 50), driver: try CurlDriver(),
      clock: SystemClock())
    let books = try await books(options, connection.client)
    let report = LedgerReport(books, from: options.from, to: options.to, now: options.now)
    switch options.format {
    case .table: Console.write(UsageTable.text(report), to: 1)
    case .csv: Console.write(ReportExport.csv(report), to: 1)
    case .json: Console.print(ReportExport.json(report).text)
    case .focus: Console.write(FocusExport.csv(report), to: 1)
    }
    return 0
  }

  /// A row may stand in the book of a later day: one that was counted after an outage.
  private static let lateDays = 8
  /// Longest list of days that a selector names; for a longer period all books are read.
  private static let mostDays = 60

  private static func books(_ options: Options, _ client: KubernetesClient) async throws -> [LedgerBook] {
    let days = LedgerBook.day(of: options.from) - 1...LedgerBook.day(of: options.to) + lateDays
    let selector =
      days.count <= mostDays
      ? LedgerConfigMap.selector(days: days, namespace: options.namespace)
      : LedgerConfigMap.selector(namespace: options.namespace)
    let found = try await client.list(
      ObjectSelection(.configMaps, namespace: options.home, labelSelector: selector), limit: 20)
    return try found.items.map { try LedgerConfigMap.book($0) }.filter { days.contains($0.day) }
  }
}
