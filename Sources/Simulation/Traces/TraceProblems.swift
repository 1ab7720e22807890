/// Why a row is none, where it stands, and what would be accepted.
public struct TraceProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// As it was given; `standard input` for `-`.
  public var file: String
  /// From 1.
  public var line: Int
  public var message: String
  public var description: String { "\(file) line \(line): \(message)" }
}

/// Rows that were skipped as bad.
public struct TraceProblems: Hashable, Sendable {
  /// How many problems are kept.
  public static let mostKept = 5
  public private(set) var count = 0
  /// The first ones, at most ``mostKept``.
  public private(set) var first: [TraceProblem] = []
  public init() {}

  mutating func add(_ problem: TraceProblem) {
    count += 1
    if first.count < Self.mostKept { first.append(problem) }
  }
}

/// What a parser says of a row; who reads the file adds where it stands.
struct RowProblem: Error, Equatable {
  var message: String
  init(_ message: String) { self.message = message }
}
