/// Rows `{"timestamp": 27, "input_length": 6758, "output_length": 500, "hash_ids": […]}`, in order of time; milliseconds.
struct MooncakeRows {
  private var last: Int64 = 0

  mutating func read(_ line: LineBytes, model: Int32) throws(RowProblem) -> TraceRequest {
    var object = JSONMembers(line)
    var request = TraceRequest(timeMicroseconds: -1, model: model)
    while let member = try object.next() {
      if member.name.equals("timestamp") {
        request.timeMicroseconds = try TraceNumber.microseconds(member.value, scale: 3, "timestamp")
      } else if member.name.equals("input_length") {
        request.promptTokens = try TraceNumber.tokens(member.value, "input_length")
      } else if member.name.equals("output_length") {
        request.outputTokens = try TraceNumber.tokens(member.value, "output_length")
      }
    }
    guard request.timeMicroseconds >= 0 else {
      throw RowProblem("the row has no timestamp; it must have one, in milliseconds")
    }
    guard request.timeMicroseconds >= last else { throw .outOfOrder(request.timeMicroseconds, after: last) }
    last = request.timeMicroseconds
    return request
  }
}
