import FleetProtocol
import FoundationEssentials

/// One row of a trace.
public struct TraceRow: Hashable, Sendable {
  public var model: String
  /// Since the start of the trace's own clock.
  public var time: Duration
  /// How long a replica is busy with it; nil: not recorded.
  public var duration: Duration?
  public init(model: String, time: Duration, duration: Duration? = nil) {
    self.model = model
    self.time = time
    self.duration = duration
  }
}

/// Reads a trace line by line, in one of two forms.
///
/// CSV: a header `model,time,prompt_tokens,output_tokens[,duration]` (in any order, more columns are ignored), then a row per
/// request in order of time. `time` and `duration` are seconds.
///
/// A gateway's request log: a ``RequestLogRow`` as JSON per line, in the order in which requests ended.
public struct TraceReader: Sendable {
  /// Why a line is no row, with its number and what would be accepted.
  public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
    public var line: Int
    public var message: String
    public var description: String { "line \(line): \(message)" }
  }

  private struct Columns {
    var model: Int
    var time: Int
    var duration: Int?
  }
  /// Whether requests come in order of time; a request log must be sorted.
  public private(set) var isOrdered = true
  private var columns: Columns?
  private var line = 0
  private var last = Duration.zero

  public init() {}

  /// Takes the next line, without its newline; nil for the header and for empty lines.
  /// - Throws: ``Problem``.
  public mutating func read(_ text: some StringProtocol) throws(Problem) -> TraceRow? {
    line += 1
    if columns == nil, text.first == "{" {
      isOrdered = false
      return try row(text)
    }
    let cells = text.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingBlanks()
    }
    if cells == [""] { return nil }
    guard let columns else {
      self.columns = try header(cells)
      return nil
    }
    func cell(_ index: Int, _ name: String) throws(Problem) -> String {
      guard index < cells.count, !cells[index].isEmpty else { throw problem("column \(name) is missing") }
      return cells[index]
    }
    let time = try seconds(cell(columns.time, "time"), "time")
    guard time >= last else {
      throw problem("time \(cells[columns.time]) is before the row above; rows must be in order of time")
    }
    last = time
    var duration: Duration?
    if let index = columns.duration, index < cells.count, !cells[index].isEmpty {
      duration = try seconds(cells[index], "duration")
    }
    return TraceRow(model: try cell(columns.model, "model"), time: time, duration: duration)
  }

  /// A row of a request log; nil where no service was found: no replica will see such a request.
  private func row(_ text: some StringProtocol) throws(Problem) -> TraceRow? {
    let row: RequestLogRow
    do { row = try JSONDecoder().decode(RequestLogRow.self, from: Data(text.utf8)) } catch {
      throw problem("this is no row of a request log: \(error)")
    }
    guard row.weight == 1 else {
      throw problem(
        "this row stands for \(row.weight) requests: a sampled log cannot be replayed, only one that --request-log wrote"
      )
    }
    guard !row.name.isEmpty else { return nil }
    let busy = row.durationMilliseconds - row.queuedMilliseconds
    return TraceRow(
      model: "\(row.namespace)/\(row.name)", time: try duration(row.timeUnix, "timeUnix"),
      duration: row.pool == nil ? nil : try duration(max(0, busy) / 1000, "durationMilliseconds"))
  }

  private func header(_ cells: [String]) throws(Problem) -> Columns {
    guard let model = cells.firstIndex(of: "model"), let time = cells.firstIndex(of: "time") else {
      throw problem(
        "the first line must name the columns model and time, such as model,time,prompt_tokens,output_tokens")
    }
    return Columns(model: model, time: time, duration: cells.firstIndex(of: "duration"))
  }

  private func seconds(_ text: String, _ column: String) throws(Problem) -> Duration {
    guard let value = Double(text) else { throw problem("\(column) '\(text)' is not a number of seconds") }
    return try duration(value, column)
  }

  private func duration(_ seconds: Double, _ column: String) throws(Problem) -> Duration {
    // What whole nanoseconds can express: 292 years.
    guard seconds >= 0, seconds < 9e9 else { throw problem("\(column) '\(seconds)' is not a number of seconds") }
    return .nanoseconds(Int64((seconds * 1e9).rounded()))
  }

  private func problem(_ message: String) -> Problem { Problem(line: line, message: message) }
}

extension StringProtocol {
  fileprivate func trimmingBlanks() -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" || character == "\r" }
    return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }
}
