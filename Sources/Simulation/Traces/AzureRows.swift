/// Rows `TIMESTAMP,ContextTokens,GeneratedTokens`: a moment such as `2023-11-16 18:17:03.9799600`, of UTC unless it says otherwise.
struct AzureRows {
  private static let names: [StaticString] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
  private let columns: CSVColumns
  private var last: Int64 = 0

  init(header: LineBytes) throws(RowProblem) {
    columns = try CSVColumns(header: header, names: Self.names, required: 0..<3)
  }

  mutating func read(_ line: LineBytes, model: Int32) throws(RowProblem) -> TraceRequest {
    var request = TraceRequest(timeMicroseconds: 0, model: model)
    let met = try columns.read(line) { number, cell throws(RowProblem) in
      switch number {
      case 0:
        guard let time = Timestamp.microseconds(cell) else {
          throw RowProblem("TIMESTAMP '\(cell.excerpt)' is not a moment since 1970 such as 2023-11-16 18:17:03.9799600")
        }
        request.timeMicroseconds = time
      case 1: request.promptTokens = try TraceNumber.tokens(cell, "ContextTokens")
      default: request.outputTokens = try TraceNumber.tokens(cell, "GeneratedTokens")
      }
    }
    guard met == 7 else {
      throw RowProblem("the row has not the three columns TIMESTAMP,ContextTokens,GeneratedTokens")
    }
    guard request.timeMicroseconds >= last else { throw .outOfOrder(request.timeMicroseconds, after: last) }
    last = request.timeMicroseconds
    return request
  }
}
