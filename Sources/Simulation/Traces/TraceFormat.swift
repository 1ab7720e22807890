/// The forms of a trace; `docs/traces.md` describes them.
public enum TraceFormat: String, CaseIterable, Sendable {
  /// `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure/AzurePublicDataset, AzureLLMInferenceTrace).
  case azure
  /// `{"timestamp":…,"input_length":…,"output_length":…}` per line (kvcache-ai/Mooncake).
  case mooncake
  /// `t_seconds,total_requests_per_second` in bins of 600 s (alibaba/ServeGen, aggregated).
  case servegenRates = "servegen-rates"
  /// `client,t_seconds,rate_rps,cv,dist,param1,param2` in bins of 600 s (alibaba/ServeGen).
  case servegenClients = "servegen-clients"
  /// `model,time,prompt_tokens,output_tokens[,duration]`.
  case csv
  /// What a gateway writes with `--request-log`.
  case requestLog = "request-log"

  public static let names = allCases.map(\.rawValue).joined(separator: ", ")

  /// Tells the format by the first line that is not empty.
  init(firstLine line: LineBytes) throws(RowProblem) {
    if line.first == UInt8(ascii: "{") {
      self = try Self.ofObject(line)
      return
    }
    var cells = CSVCells(line)
    var names: [String] = []
    while names.count < CSVCells.mostColumns, let cell = try cells.next() { names.append(cell.text) }
    let found = Set(names)
    if found.isSuperset(of: ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]) {
      self = .azure
    } else if found.isSuperset(of: ["client", "t_seconds", "rate_rps"]) {
      self = .servegenClients
    } else if found.isSuperset(of: ["t_seconds", "total_requests_per_second"]) {
      self = .servegenRates
    } else if found.isSuperset(of: ["model", "time"]) {
      self = .csv
    } else {
      throw RowProblem(
        "'\(line.excerpt)' is the first line of no known trace; there are \(Self.names): a CSV has a header such as "
          + "model,time,prompt_tokens,output_tokens, and JSON lines have timestamp or timeUnix")
    }
  }

  private static func ofObject(_ line: LineBytes) throws(RowProblem) -> TraceFormat {
    var object = JSONMembers(line)
    while let member = try object.next() {
      if member.name.equals("timeUnix") || member.name.equals("level") { return .requestLog }
      if member.name.equals("timestamp") || member.name.equals("input_length") { return .mooncake }
    }
    throw RowProblem(
      "'\(line.excerpt)' is an object of no known trace: a request log has timeUnix, a Mooncake trace timestamp")
  }
}
