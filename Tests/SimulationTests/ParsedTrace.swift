@testable import Simulation

/// What a reader makes of a text.
struct ParsedTrace: Equatable {
  var requests: [TraceRequest] = []
  var models: [String] = []
  var problems = TraceProblems()
  /// Why the rest was not read, as a user sees it.
  var failure: String?

  /// - Parameter chunk: how many octets arrive at a time; nil: all.
  init(_ text: String, chunk: Int? = nil, _ reading: TraceReading = TraceReading(), order: StartOrder = StartOrder()) {
    var parser = TraceParser(file: "load.txt", model: "m", reading, order: order)
    var rest = Array(text.utf8)[...]
    do {
      steps: while true {
        switch try parser.next() {
        case .request(let request): requests.append(request)
        case .end: break steps
        case .incomplete:
          _ = parser.feed(upTo: chunk ?? max(1, rest.count)) { buffer in
            let piece = rest.prefix(buffer.count)
            buffer.copyBytes(from: piece)
            rest = rest.dropFirst(piece.count)
            return piece.count
          }
        }
      }
    } catch { failure = error.description }
    models = parser.names
    problems = parser.problems
  }

  var seconds: [Double] { requests.map { Double($0.timeMicroseconds) / 1e6 } }

  /// Of one model, in microseconds.
  func times(of model: String) -> [Int64] {
    requests.filter { models[Int($0.model)] == model }.map(\.timeMicroseconds)
  }
}
