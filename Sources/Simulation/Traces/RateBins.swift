/// One bin of a client: how many requests it has and how their gaps are distributed.
struct RateBin: Hashable, Sendable {
  /// 600 s, as ServeGen's rows have it; in microseconds.
  static let width: Int64 = 600_000_000
  /// Seconds of a bin.
  static let seconds = 600.0
  var start: Int64
  /// Requests per second.
  var rate: Double
  var shape: GapShape

  /// How many requests come in it. A rate that was counted gives its count back; another is rounded up or down at random, so
  /// that the mean is right.
  func count(_ random: inout ArrivalRandom) -> Int64 {
    let expected = rate * Self.seconds
    // A rate of six decimals is off by 3e-4 requests per bin.
    if (expected - expected.rounded()).magnitude <= max(1e-3, expected * 1e-9) { return Int64(expected.rounded()) }
    return Int64(expected.rounded(.down)) + (random.uniform() < expected - expected.rounded(.down) ? 1 : 0)
  }
}

/// Rows of rates: `t_seconds,total_requests_per_second`, or `client,t_seconds,rate_rps,cv,dist,param1,param2`.
struct RateRows {
  /// More rows are refused: all must be held, since clients stand one below the other (some 400 MB).
  static let mostRows = 10_000_000
  /// A higher rate is refused, in requests per second.
  static let mostRate = 1e6

  private static let clientNames: [StaticString] = ["client", "t_seconds", "rate_rps", "dist", "param1"]
  private static let rateNames: [StaticString] = ["client", "t_seconds", "total_requests_per_second"]
  private let columns: CSVColumns
  let hasClients: Bool
  private var count = 0
  /// By client, in order of time.
  private(set) var bins: [[RateBin]] = []

  init(header: LineBytes, hasClients: Bool) throws(RowProblem) {
    self.hasClients = hasClients
    columns = try CSVColumns(
      header: header, names: hasClients ? Self.clientNames : Self.rateNames, required: hasClients ? 0..<5 : 1..<3)
  }

  /// - Parameter model: of a file without clients.
  mutating func read(_ line: LineBytes, model: LineBytes, _ models: inout ModelTable) throws(RowProblem) {
    var name = model
    var bin = RateBin(start: 0, rate: 0, shape: .exponential)
    var distribution = line
    var shape: Double?
    let met = try columns.read(line) { number, cell throws(RowProblem) in
      switch number {
      case 0: name = cell
      case 1: bin.start = try TraceNumber.microseconds(cell, "t_seconds")
      case 2: bin.rate = try rate(cell)
      case 3: distribution = cell
      default: shape = TraceNumber.double(cell)
      }
    }
    let wanted: UInt = hasClients ? 0b11111 : 0b110
    guard met & wanted == wanted else { throw RowProblem("the row ends before its last column") }
    if hasClients { bin.shape = try gapShape(distribution, shape) }
    let client = Int(try models.index(of: name))
    while bins.count <= client { bins.append([]) }
    if let last = bins[client].last, bin.start < last.start + RateBin.width {
      throw RowProblem(
        "its bin starts at \(bin.start / 1_000_000) s, within or before that of the row above, which starts at "
          + "\(last.start / 1_000_000) s; a client's bins of 600 s must be in order")
    }
    guard count < Self.mostRows else {
      throw RowProblem("it is one row more than \(Self.mostRows); no more are accepted")
    }
    guard bin.rate > 0 else { return }
    count += 1
    bins[client].append(bin)
  }

  private func rate(_ cell: LineBytes) throws(RowProblem) -> Double {
    guard let rate = TraceNumber.double(cell), 0...Self.mostRate ~= rate else {
      throw RowProblem(
        "the rate '\(cell.excerpt)' is not a number of requests per second from 0 to \(Int(Self.mostRate))")
    }
    return rate
  }

  private func gapShape(_ name: LineBytes, _ shape: Double?) throws(RowProblem) -> GapShape {
    if name.equals("Exponential") { return .exponential }
    guard name.equals("Gamma") || name.equals("Weibull") else {
      throw RowProblem("dist '\(name.excerpt)' is not Gamma, Weibull or Exponential")
    }
    guard let shape, 0.001...1e6 ~= shape else {
      throw RowProblem("param1 is not the shape of the distribution, a number from 0.001 to 1000000")
    }
    return name.equals("Gamma") ? .gamma(shape: shape) : .weibull(shape: shape)
  }
}
