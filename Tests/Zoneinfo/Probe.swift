import Glibc

/// Says what `TimeZones` makes of a compiled zone: reads 64-bit integers in the machine's order from standard input, and writes
/// three for each to standard output. They are the offset at that instant, and the first and last instant of that reading.
@main
enum Probe {
  static func main() {
    let path = CommandLine.arguments.dropFirst().first ?? ""
    let file = open(path, O_RDONLY)
    guard file >= 0 else { fail("usage: probe FILE < integers > integers") }
    do {
      let zone = try Zone(file: contents(of: file))
      var answers: [Int] = []
      for value in contents(of: STDIN_FILENO).withUnsafeBytes({ Array($0.bindMemory(to: Int.self)) }) {
        answers.append(zone.offset(at: value))
        answers.append(zone.firstInstant(showing: value))
        answers.append(zone.lastInstant(showing: value))
      }
      answers.withUnsafeBytes(put)
    } catch {
      fail("\(path): \(error)")
    }
  }

  private static func contents(of descriptor: Int32) -> [UInt8] {
    var octets: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = read(descriptor, &buffer, buffer.count), count > 0 { octets += buffer[0..<count] }
    return octets
  }

  private static func put(_ octets: UnsafeRawBufferPointer) {
    var rest = octets[...]
    while !rest.isEmpty {
      let count = write(STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      guard count > 0 else { fail("cannot write") }
      rest = rest.dropFirst(count)
    }
  }

  private static func fail(_ message: String) -> Never {
    let line = Array("\(message)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(1)
  }
}
