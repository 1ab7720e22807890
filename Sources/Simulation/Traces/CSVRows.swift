/// Rows `model,time,prompt_tokens,output_tokens[,duration]`, in order of time. Tokens and duration may be left out or empty.
struct CSVRows {
  private static let names: [StaticString] = ["model", "time", "prompt_tokens", "output_tokens", "duration"]
  private let columns: CSVColumns
  private var last: Int64 = 0

  init(header: LineBytes) throws(RowProblem) {
    columns = try CSVColumns(header: header, names: Self.names, required: 0..<2)
  }

  @inline(__always)
  mutating func read(_ line: LineBytes, _ models: inout ModelTable) throws(RowProblem) -> TraceRequest {
    var name = line
    var request = TraceRequest(timeMicroseconds: 0, model: 0)
    let met = try columns.read(line) { number, cell throws(RowProblem) in
      switch number {
      case 0: name = cell
      case 1: request.timeMicroseconds = try TraceNumber.microseconds(cell, "time")
      case 2: request.promptTokens = try TraceNumber.tokens(cell, "prompt_tokens")
      case 3: request.outputTokens = try TraceNumber.tokens(cell, "output_tokens")
      default:
        if !cell.isEmpty { request.durationMicroseconds = try TraceNumber.microseconds(cell, "duration") }
      }
    }
    guard met & 3 == 3 else { throw RowProblem("the row ends before its column \(met & 1 == 0 ? "model" : "time")") }
    guard request.timeMicroseconds >= last else { throw .outOfOrder(request.timeMicroseconds, after: last) }
    request.model = try models.index(of: name)
    last = request.timeMicroseconds
    return request
  }
}

extension RowProblem {
  static func outOfOrder(_ time: Int64, after last: Int64) -> RowProblem {
    RowProblem(
      "its time, \(Double(time) / 1e6) s, is before that of the row above, \(Double(last) / 1e6) s; rows must be in order of time"
    )
  }
}
