/// One request of a recorded or made-up load.
public struct TraceRequest: Hashable, Sendable {
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

/// Reads a trace in CSV line by line: a header `model,time,prompt_tokens,output_tokens[,duration]` (in any order, more columns
/// are ignored), then a row per request in order of time. `time` and `duration` are seconds.
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
  private var columns: Columns?
  private var line = 0
  private var last = Duration.zero

  public init() {}

  /// Takes the next line, without its newline; nil for the header and for empty lines.
  /// - Throws: ``Problem``.
  public mutating func read(_ text: some StringProtocol) throws(Problem) -> TraceRequest? {
    line += 1
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
    return TraceRequest(model: try cell(columns.model, "model"), time: time, duration: duration)
  }

  private func header(_ cells: [String]) throws(Problem) -> Columns {
    guard let model = cells.firstIndex(of: "model"), let time = cells.firstIndex(of: "time") else {
      throw problem(
        "the first line must name the columns model and time, such as model,time,prompt_tokens,output_tokens")
    }
    return Columns(model: model, time: time, duration: cells.firstIndex(of: "duration"))
  }

  private func seconds(_ text: String, _ column: String) throws(Problem) -> Duration {
    guard let value = Double(text), value.isFinite, value >= 0, value < 1e12 else {
      throw problem("\(column) '\(text)' is not a number of seconds")
    }
    return .nanoseconds(Int64((value * 1e9).rounded()))
  }

  private func problem(_ message: String) -> Problem { Problem(line: line, message: message) }
}

extension StringProtocol {
  fileprivate func trimmingBlanks() -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" || character == "\r" }
    return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }
}
