import Decisions
import FleetProtocol
import Glibc
import Telemetry

/// `pilotlight replay`: computes recorded decisions again.
enum ReplayCommand {
  static let help = """
    usage: pilotlight replay FILE [options]

    Computes each decision of FILE again, as the controller's /debug/decisions?service=NAMESPACE/NAME wrote them; '-' reads
    standard input. Prints a line per record: it agrees, disagrees (with both decisions), or differs by version: another
    version of the decision made it. Ends with 1 if a record disagrees or cannot be read.

      --explain    prints why each was decided, in a sentence with the numbers
      --quiet      prints only records that do not agree
    """

  static func run(_ arguments: [String]) async -> Int32 {
    await CommandFrame.run("replay", arguments, help: help) { scanner in
      let (explains, isQuiet) = (scanner.flag("--explain"), scanner.flag("--quiet"))
      let path = scanner.flag("-") ? "-" : scanner.positional()
      try scanner.finish()
      guard let path else { throw ArgumentScanner.Problem("FILE is missing: what /debug/decisions wrote") }
      return try replay(path, explains: explains, isQuiet: isQuiet)
    }
  }

  private struct Counts {
    var agreeing = 0
    var disagreeing = 0
    var otherVersions = 0
    var text: String {
      let all = agreeing + disagreeing + otherVersions
      return "\(all) \(all == 1 ? "record" : "records"): \(agreeing) agree, \(disagreeing) disagree, "
        + "\(otherVersions) differ by version"
    }
  }

  private struct BadLine: Error, CustomStringConvertible {
    var description: String
  }

  /// Reads line by line: the file may be as long as it likes.
  private static func replay(_ path: String, explains: Bool, isQuiet: Bool) throws -> Int32 {
    guard let file = path == "-" ? fdopen(STDIN_FILENO, "r") : fopen(path, "r") else {
      throw LocalFile.Unreadable(path: path, code: errno)
    }
    defer { fclose(file) }
    var counts = Counts()
    var number = 0
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while case let length = getline(&line, &capacity, file), length > 0, let line {
      number += 1
      let bytes = UnsafeRawBufferPointer(start: line, count: length)
      guard bytes.contains(where: { $0 > 0x20 }) else { continue }
      let record: DecisionRecord
      do { record = try DecisionRecord(line: Array(bytes)) } catch {
        throw BadLine(description: "\(path), line \(number): \(error)")
      }
      let verdict = record.replayed()
      switch verdict {
      case .agrees: counts.agreeing += 1
      case .disagrees: counts.disagreeing += 1
      case .differsByVersion: counts.otherVersions += 1
      }
      if isQuiet, verdict == .agrees { continue }
      Console.print("\(number): \(text(record, verdict))")
      if explains { Console.print("    \(record.explained().message)") }
    }
    Console.print(counts.text)
    return counts.disagreeing > 0 ? 1 : 0
  }

  private static func text(_ record: DecisionRecord, _ verdict: ReplayVerdict) -> String {
    var time: [UInt8] = []
    UTCTimestamp.append(record.timeUnix, to: &time)
    let about = "\(String(decoding: time, as: UTF8.self)) \(record.namespace)/\(record.name)"
    switch verdict {
    case .agrees: return "\(about) agrees: \(text(record.decision))"
    case .disagrees(let now):
      return "\(about) disagrees: recorded \(text(record.decision)); computed \(text(now))"
    case .differsByVersion(let now):
      return "\(about) differs by version: recorded by version \(record.function) \(text(record.decision)); "
        + "computed by version \(decideScaleVersion) \(text(now))"
    }
  }

  private static func text(_ outcome: DecisionRecord.Outcome) -> String {
    "dedicated \(outcome.dedicated), burst \(outcome.burst), \(outcome.reason.rawValue)"
  }
}
