/// What happened in a simulation: a hash of all of it, its last lines when they are wanted, and what was wrong with it.
final class Record: @unchecked Sendable {
  /// FNV-1a, 64 bits, over everything that was noted.
  private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  /// What broke a rule first; nil: nothing did.
  private(set) var violation: String?
  private(set) var lines: [String] = []
  private let keepsLines: Bool
  private let time: VirtualTime
  private static let mostLines = 4000

  /// - Parameter keepsLines: lines cost more than all the rest; a run that broke a rule is run again with them.
  init(_ time: VirtualTime, keepsLines: Bool) {
    self.time = time
    self.keepsLines = keepsLines
  }

  /// Takes an effect of a controller into the hash, with the time.
  /// - Parameter isNoted: whether who looks for a cause wants to read it.
  func effect(_ words: String, _ bytes: [UInt8] = [], isNoted: Bool = true) {
    mix(UInt64(time.elapsed.attoseconds / 1_000_000_000_000))
    for byte in words.utf8 { mix(byte) }
    for byte in bytes { mix(byte) }
    if isNoted { note("\(words) \(String(decoding: bytes.prefix(600), as: UTF8.self))") }
  }

  /// Something that whoever looks for a cause wants to read.
  func note(_ words: @autoclosure () -> String) {
    guard keepsLines else { return }
    if lines.count >= 2 * Self.mostLines { lines.removeFirst(Self.mostLines) }
    lines.append("\(stamp) \(words())")
  }

  /// A rule was broken.
  func violate(_ words: @autoclosure () -> String) {
    guard violation == nil else { return }
    let words = "\(stamp) \(words())"
    violation = words
    note("VIOLATION \(words)")
  }

  private var stamp: String {
    let milliseconds = Int(time.elapsed.attoseconds / 1_000_000_000_000_000)
    let fraction = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
  }

  private func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
  private func mix(_ word: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) { mix(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
  }
}
