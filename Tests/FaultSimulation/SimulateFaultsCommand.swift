import FoundationEssentials
import Glibc
import Telemetry

/// `simulate-faults`: runs seeds until one breaks a rule.
struct SimulateFaultsCommand {
  private static let usage = """
    usage: simulate-faults [--seed FIRST] [--seeds COUNT] [--plant BUG] [--trace]
           simulate-faults --list-planted
    """

  private var first: UInt64 = 1
  private var count: UInt64 = 1
  private var bug: PlantedBug?
  private var prefersTrace = false
  private var listsBugs = false
  private var problem: String?

  init(arguments: [String]) {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      switch option {
      case "--seed", "--seeds":
        guard let text = rest.popFirst(), let number = UInt64(text) else {
          problem = "\(option) wants a number"
          return
        }
        if option == "--seed" { first = number } else { count = number }
      case "--plant":
        let name = rest.popFirst() ?? ""
        bug = PlantedBug(rawValue: name)
        let known = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
        if bug == nil { problem = "there is no planted bug \"\(name)\"; there are \(known)" }
      case "--trace": prefersTrace = true
      case "--list-planted": listsBugs = true
      default: problem = "unknown option \(option)"
      }
    }
  }

  /// - Returns: the exit status: 0 when no rule was broken, 1 when one was, 2 when the arguments are wrong.
  func run() -> Int32 {
    if let problem {
      print("simulate-faults: \(problem)\n\(Self.usage)")
      return 2
    }
    if listsBugs {
      for bug in PlantedBug.allCases { print(bug.rawValue) }
      return 0
    }
    var hash: UInt64 = 0
    for seed in first..<first + count {
      if count > 1, let theme = bug?.theme, World.theme(seed) != theme { continue }
      let world = World(seed: seed, bug: bug, keepsLines: prefersTrace)
      world.run()
      hash = (hash &* 0x0000_0100_0000_01B3) ^ world.record.hash
      if world.record.violation != nil {
        tell(seed)
        return 1
      }
      if prefersTrace { for line in world.record.lines { print(line) } }
      let done = seed - first + 1
      if done % 250 == 0 {
        Self.tellProgress("\(done) of \(count) seeds from \(first)\n")
      }
    }
    print("\(count) seeds from \(first): no rule broken; effects \(String(hash, radix: 16))")
    return 0
  }

  /// On the error output: the rest is for whoever compares two runs.
  private static func tellProgress(_ words: String) {
    words.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
  }

  /// Runs a seed that broke a rule again, and prints what led there.
  private func tell(_ seed: UInt64) {
    let world = World(seed: seed, bug: bug, keepsLines: true)
    world.run()
    for line in world.record.lines.suffix(prefersTrace ? .max : 60) { print("  \(line)") }
    let verdict = world.record.violation ?? "the second run broke no rule: the simulation is not deterministic"
    print("seed \(seed): \(verdict)")
    print("again: hack/simulate-faults --seed \(seed)\(bug.map { " --plant \($0.rawValue)" } ?? "") --trace")
  }
}
