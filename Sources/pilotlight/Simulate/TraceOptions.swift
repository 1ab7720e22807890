import Simulation

/// Which trace is replayed and how it is read: arguments of every command that takes one.
struct TraceOptions {
  static let help = """
      --trace FILE            '-' reads standard input; docs/traces.md describes the formats
      --format NAME           \(TraceFormat.names)
                              (told by the first line)
      --model NAME            of a trace that names no models (the file's name)
      --max-client-rate N     of servegen-clients: without rows of a higher rate, requests per second (0.2)
      --bad-rows fail|skip    at a row that cannot be read: stop, or count it and go on (fail)
      --reweight              a row of a sampled log counts as so many requests as its weight says
    """

  let path: String
  let reading: TraceReading

  /// - Parameter seed: of arrivals that are drawn, where a trace has rates.
  init(_ scanner: inout ArgumentScanner, seed: Int) throws {
    guard let path = try scanner.text("--trace") else { throw ArgumentScanner.Problem("--trace FILE is needed") }
    self.path = path
    var reading = TraceReading(seed: UInt64(seed), reweights: scanner.flag("--reweight"))
    if let name = try scanner.text("--format") {
      guard let format = TraceFormat(rawValue: name) else {
        throw ArgumentScanner.Problem("--format: '\(name)' is not one of \(TraceFormat.names)")
      }
      reading.format = format
    }
    reading.model = try scanner.text("--model")
    if let text = try scanner.text("--max-client-rate") {
      guard let rate = Double(text), rate > 0, rate.isFinite else {
        throw ArgumentScanner.Problem("--max-client-rate: '\(text)' is not a number of requests per second above 0")
      }
      reading.maxClientRate = rate
    }
    if let word = try scanner.text("--bad-rows") {
      guard let choice = TraceReading.BadRows(rawValue: word) else {
        throw ArgumentScanner.Problem("--bad-rows: '\(word)' is not fail or skip")
      }
      reading.badRows = choice
    }
    self.reading = reading
  }

  /// The trace, from its start.
  func open() throws -> TraceFile { try TraceFile(path: path, reading) }
}
