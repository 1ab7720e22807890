import FoundationEssentials
import KubernetesAPI

/// What a client asked of a log: `PodLogOptions` of the API.
struct LogOptions: Equatable {
  var follows = false
  var usesPrevious = false
  var showsTimestamps = false
  /// Lines from the end; nil: all.
  var tailLines: Int?
  var limitBytes: Int?
  /// Only lines from then on.
  var since: Date?
}

/// Turns the lines of a log file into what the API answers: text, with times only when asked for.
struct LogFilter {
  private let options: LogOptions
  private var remaining: Int
  private var carry: [UInt8] = []
  private var isWithinLine = false

  init(_ options: LogOptions) {
    self.options = options
    remaining = options.limitBytes ?? .max
  }

  /// `limitBytes` is used up.
  var isExhausted: Bool { remaining <= 0 }

  /// Takes a piece of the file; incomplete lines wait for the next one.
  mutating func filter(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    carry += bytes
    var output: [UInt8] = []
    var start = 0
    while let newline = carry[start...].firstIndex(of: UInt8(ascii: "\n")) {
      appendLine(carry[start..<newline], to: &output)
      start = newline + 1
    }
    carry.removeFirst(start)
    if output.count > remaining { output.removeLast(output.count - remaining) }
    remaining -= output.count
    return output
  }

  private mutating func appendLine(_ line: ArraySlice<UInt8>, to output: inout [UInt8]) {
    let space = UInt8(ascii: " ")
    guard let timeEnd = line.firstIndex(of: space),
      let streamEnd = line[(timeEnd + 1)...].firstIndex(of: space),
      let tagEnd = line[(streamEnd + 1)...].firstIndex(of: space)
    else { return }
    if let since = options.since {
      let time = Timestamp.parse(String(decoding: line[..<timeEnd], as: UTF8.self))
      if let time, time < since { return }
    }
    let isPart = line[streamEnd + 1] == UInt8(ascii: "P")
    if options.showsTimestamps, !isWithinLine { output += line[...timeEnd] }
    output += line[(tagEnd + 1)...]
    if !isPart { output.append(UInt8(ascii: "\n")) }
    isWithinLine = isPart
  }
}
