/// Requests of a trace from its octets, which arrive in pieces of any size. It reads no file and no clock.
struct TraceParser {
  /// How the rows of each format are read, once it is known.
  private enum Rows {
    case unknown
    case csv(CSVRows)
    case azure(AzureRows)
    case mooncake(MooncakeRows)
    case log(RequestLogRows)
    case rates(RateRows)
  }

  private let file: String
  private let reading: TraceReading
  private var rows = Rows.unknown
  private var models = ModelTable()
  /// Of a format that names none.
  private var model: Int32 = 0
  private let modelName: [UInt8]
  private(set) var lines = LineBuffer()
  private(set) var problems = TraceProblems()
  private var order: StartOrder
  private var arrivals: RateArrivals?
  /// The format is known and its header was read.
  private var isBegun = false
  private var isEnded = false

  enum Step {
    case request(TraceRequest)
    /// More octets are needed.
    case incomplete
    case end
  }

  /// - Parameters:
  ///   - file: its name in messages.
  ///   - model: the model of a format that names none.
  init(file: String, model: String, _ reading: TraceReading, order: StartOrder = StartOrder()) {
    self.file = file
    self.reading = reading
    self.order = order
    modelName = Array(model.utf8)
  }

  var names: [String] { models.names }

  /// Lets `fill` write at most `count` octets; it returns how many it wrote, 0 for the end of the file.
  mutating func feed(upTo count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int {
    try lines.feed(upTo: count, fill)
  }

  /// - Throws: ``TraceProblem`` at a bad row, unless they are skipped, and where no row can be read at all.
  mutating func next() throws(TraceProblem) -> Step {
    while true {
      if case .log = rows, let request = order.next() { return .request(request) }
      if isEnded { return rest() }
      switch lines.next() {
      case .line(let line):
        if let request = try read(line) { return .request(request) }
      case .overlong:
        try meet(RowProblem("the line is longer than \(LineBuffer.mostLineBytes) bytes; no longer one is accepted"))
      case .incomplete: return .incomplete
      case .end:
        isEnded = true
        try end()
      }
    }
  }

  @inline(__always)
  private mutating func read(_ line: Range<Int>) throws(TraceProblem) -> TraceRequest? {
    if case .csv(var reader) = rows {
      do throws(RowProblem) {
        return try lines.withBytes(of: line) { bytes throws(RowProblem) in
          let bytes = bytes.last == 0x0D ? bytes.part(0, bytes.count - 1) : bytes
          if bytes.isEmpty { return nil }
          defer { rows = .csv(reader) }
          return try reader.read(bytes, &models)
        }
      } catch { try meet(error) }
      return nil
    }
    do throws(RowProblem) {
      return try lines.withBytes(of: line) { bytes throws(RowProblem) in try readOther(bytes.trimmed) }
    } catch {
      // Without its first line nothing of a file can be read.
      if !isBegun { throw problem(error) }
      try meet(error)
      return nil
    }
  }

  private mutating func readOther(_ line: LineBytes) throws(RowProblem) -> TraceRequest? {
    if line.isEmpty { return nil }
    switch rows {
    case .unknown:
      if try begin(line) { return nil }
      return try readOther(line)
    case .csv(var reader):
      defer { rows = .csv(reader) }
      return try reader.read(line, &models)
    case .azure(var reader):
      defer { rows = .azure(reader) }
      return try reader.read(line, model: model)
    case .mooncake(var reader):
      defer { rows = .mooncake(reader) }
      return try reader.read(line, model: model)
    case .log(var reader):
      defer { rows = .log(reader) }
      if let row = try reader.read(line, &models) { try order.add(row) }
      return nil
    case .rates(var reader):
      // Nobody else holds the table, or each row would copy it.
      rows = .unknown
      defer { rows = .rates(reader) }
      let result = modelName.withUnsafeBufferPointer { name -> Result<Void, RowProblem> in
        do throws(RowProblem) { return .success(try reader.read(line, model: name, &models)) } catch {
          return .failure(error)
        }
      }
      try result.get()
      return nil
    }
  }

  /// Takes the first line.
  /// - Returns: whether it is a header.
  private mutating func begin(_ first: LineBytes) throws(RowProblem) -> Bool {
    // A mark at the start says that it is UTF-8.
    let hasMark = first.count >= 3 && first[0] == 0xEF && first[1] == 0xBB && first[2] == 0xBF
    let line = hasMark ? first.part(3, first.count) : first
    let format: TraceFormat
    if let given = reading.format { format = given } else { format = try TraceFormat(firstLine: line) }
    switch format {
    case .csv: rows = .csv(try CSVRows(header: line))
    case .azure: rows = .azure(try AzureRows(header: line))
    case .servegenClients: rows = .rates(try RateRows(header: line, hasClients: true))
    case .servegenRates: rows = .rates(try RateRows(header: line, hasClients: false))
    case .mooncake: rows = .mooncake(MooncakeRows())
    case .requestLog: rows = .log(RequestLogRows(reweights: reading.reweights))
    }
    switch format {
    case .azure, .mooncake: model = try models.index(of: modelName)
    default: break
    }
    isBegun = true
    return format != .mooncake && format != .requestLog
  }

  private mutating func end() throws(TraceProblem) {
    switch rows {
    case .log: order.end()
    case .rates(let reader):
      let drawn = RateArrivals(
        reader.bins, names: models.names, maxRate: maxRate(reader), seed: reading.seed)
      if drawn.clientCount == 0, !reader.bins.allSatisfy(\.isEmpty), let rate = maxRate(reader) {
        throw problem(RowProblem("every row has a rate above \(rate)/s; give a higher --max-client-rate"))
      }
      arrivals = drawn
      rows = .unknown
    default: break
    }
  }

  /// The rates of a whole service are never too high for it.
  private func maxRate(_ reader: RateRows) -> Double? {
    reader.hasClients ? reading.maxClientRate ?? TraceReading.defaultClientRate : nil
  }

  private mutating func rest() -> Step {
    if let request = arrivals?.next() { return .request(request) }
    return .end
  }

  private mutating func meet(_ row: RowProblem) throws(TraceProblem) {
    let problem = problem(row)
    guard reading.badRows == .skip else { throw problem }
    problems.add(problem)
  }

  private func problem(_ row: RowProblem) -> TraceProblem {
    TraceProblem(file: file, line: lines.number, message: row.message)
  }
}
