import InferenceAPI

/// Reads a command's arguments: each option is asked for by name and taken out; ``finish()`` refuses what is left.
///
/// An option is `--name VALUE` or `--name=VALUE`; a flag is `--name`. Everything after `--` is ``rest``.
struct ArgumentScanner {
  /// What is wrong with the arguments, in one line that names the option and the value.
  struct Problem: Error, Equatable, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
  }

  private var arguments: [String]
  /// What follows `--`: a command line of somebody else.
  let rest: [String]

  init(_ arguments: [String]) {
    if let separator = arguments.firstIndex(of: "--") {
      self.arguments = Array(arguments[..<separator])
      rest = Array(arguments[(separator + 1)...])
    } else {
      self.arguments = arguments
      rest = []
    }
  }

  /// Takes the flag out; true when it was there.
  mutating func flag(_ name: String) -> Bool {
    guard let index = arguments.firstIndex(of: name) else { return false }
    arguments.remove(at: index)
    return true
  }

  /// Whether the option is there, before it is taken out.
  func isGiven(_ name: String) -> Bool { arguments.contains { $0 == name || $0.hasPrefix(name + "=") } }

  /// Takes the option and its text out; nil when it is absent.
  mutating func text(_ name: String) throws(Problem) -> String? {
    guard let index = arguments.firstIndex(where: { $0 == name || $0.hasPrefix(name + "=") }) else { return nil }
    let argument = arguments.remove(at: index)
    if argument != name { return String(argument.dropFirst(name.count + 1)) }
    guard index < arguments.count else { throw Problem("\(name) needs a value") }
    return arguments.remove(at: index)
  }

  /// All texts of an option that may be repeated, in order.
  mutating func texts(_ name: String) throws(Problem) -> [String] {
    var found: [String] = []
    while let next = try text(name) { found.append(next) }
    return found
  }

  /// Takes an option of any type that reads itself from text; `what` says what would be accepted.
  mutating func value<Value: LosslessStringConvertible>(
    _ name: String, default fallback: Value, what: String
  ) throws(Problem) -> Value {
    guard let text = try text(name) else { return fallback }
    guard let value = Value(text) else { throw Problem("\(name): '\(text)' is not \(what)") }
    return value
  }

  /// Takes an integer option within a range.
  mutating func integer(
    _ name: String, default fallback: Int, in range: ClosedRange<Int>
  ) throws(Problem) -> Int {
    guard let text = try text(name) else { return fallback }
    guard let value = Int(text), range.contains(value) else {
      throw Problem("\(name): '\(text)' is not a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// Takes a duration option such as `90s`, `250ms` or `1h30m`.
  mutating func duration(_ name: String, default fallback: Duration) throws(Problem) -> Duration {
    guard let text = try text(name) else { return fallback }
    guard let value = GatewayDuration.parse(text) else {
      throw Problem("\(name): '\(text)' is not a duration such as 250ms, 90s or 1h30m")
    }
    return value
  }

  /// The first argument that is not an option, taken out.
  mutating func positional() -> String? {
    guard let first = arguments.first, !first.hasPrefix("-") else { return nil }
    return arguments.removeFirst()
  }

  /// Refuses whatever no one asked for.
  consuming func finish() throws(Problem) {
    if let unknown = arguments.first { throw Problem("unknown argument '\(unknown)'") }
  }
}
