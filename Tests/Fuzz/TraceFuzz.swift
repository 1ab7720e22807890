/// Traces: never a crash, in order of time, and the same requests and problems however the octets arrive.
func fuzzTrace(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard let input = FuzzInput(start, count) else { return -1 }
  var reading = TraceReading(seed: 1, badRows: input.choice & 1 == 0 ? .skip : .fail, reweights: input.choice & 2 != 0)
  let formats = TraceFormat.allCases
  if input.choice >> 2 & 1 == 1 { reading.format = formats[Int(input.choice >> 3) % formats.count] }
  let whole = read(input.octets, cuts: [], reading)
  for cuts in input.arrivals {
    require(read(input.octets, cuts: cuts, reading) == whole, "a trace differs when it comes in pieces")
  }
  let lines = input.octets.split(separator: 0x0A, omittingEmptySubsequences: false).count
  require(whole.problems.first.allSatisfy { 1...lines ~= $0.line }, "a problem is at a line that is not there")
  if let last = whole.failure { require(0...lines ~= last.line, "a trace fails at a line that is not there") }
  for (request, next) in zip(whole.requests, whole.requests.dropFirst()) {
    require(request.timeMicroseconds <= next.timeMicroseconds, "\(next) comes before the request before it")
  }
  for request in whole.requests {
    require(whole.models.indices.contains(Int(request.model)), "a request is of a model without a name")
    require(request.timeMicroseconds >= 0 && request.durationMicroseconds >= -1, "\(request) has a negative time")
    require(request.promptTokens >= -1 && request.outputTokens >= -1, "\(request) has negative tokens")
  }
  return 0
}

private struct Outcome: Equatable {
  var requests: [TraceRequest] = []
  var models: [String] = []
  var problems = TraceProblems()
  var failure: TraceProblem?
}

/// At most so many requests: a short row of rates stands for many.
private let mostRequests = 2000

private func read(_ octets: [UInt8], cuts: [Int], _ reading: TraceReading) -> Outcome {
  var parser = TraceParser(file: "trace", model: "model", reading, order: StartOrder(window: 5_000_000, mostRows: 8))
  var outcome = Outcome()
  var start = 0
  do throws(TraceProblem) {
    pieces: for end in cuts.filter({ $0 > 0 }) + [octets.count, octets.count] {
      // An empty piece would be the end.
      if end == start, end != octets.count { continue }
      _ = parser.feed(upTo: max(1, end - start)) { buffer in
        buffer.copyBytes(from: octets[start..<end])
        return end - start
      }
      start = end
      while outcome.requests.count < mostRequests {
        guard case .request(let request) = try parser.next() else { continue pieces }
        outcome.requests.append(request)
      }
      break
    }
  } catch {
    outcome.failure = error
  }
  outcome.models = parser.names
  outcome.problems = parser.problems
  return outcome
}
