/// Names of models by number, found by their octets without making a string of each row's.
struct ModelTable {
  /// More models than that are refused.
  static let mostModels = 1_000_000
  /// A longer name is refused.
  static let mostNameBytes = 512

  private(set) var names: [String] = []
  private var octets: [UInt8] = []
  /// Where each name starts in `octets`; one more than names.
  private var starts: [Int] = [0]
  /// Open addressing with linear probing; -1: free. A power of two.
  private var slots = [Int32](repeating: -1, count: 64)
  private var last: Int32 = -1

  /// The number of a name, or of `namespace/name`.
  @inline(__always)
  mutating func index(of name: LineBytes) throws(RowProblem) -> Int32 {
    if last >= 0, isName(Int(last), name) { return last }
    last = try search(name)
    return last
  }

  private mutating func search(_ name: LineBytes) throws(RowProblem) -> Int32 {
    guard !name.isEmpty else { throw RowProblem("the model has no name; it must have one") }
    guard name.count <= Self.mostNameBytes else {
      throw RowProblem(
        "the model '\(name.excerpt)' has a name of \(name.count) bytes; at most \(Self.mostNameBytes) are accepted")
    }
    var slot = Self.hash(name) & (slots.count - 1)
    while slots[slot] >= 0 {
      if isName(Int(slots[slot]), name) { return slots[slot] }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard names.count < Self.mostModels else {
      throw RowProblem("'\(name.excerpt)' would be one model more than \(Self.mostModels); no more are accepted")
    }
    slots[slot] = Int32(names.count)
    names.append(name.text)
    octets += name
    starts.append(octets.count)
    if names.count * 2 > slots.count { grow() }
    return Int32(names.count - 1)
  }

  @inline(__always)
  private func isName(_ index: Int, _ name: LineBytes) -> Bool {
    let start = starts[index]
    guard starts[index + 1] - start == name.count else { return false }
    for offset in 0..<name.count where octets[start + offset] != name[offset] { return false }
    return true
  }

  private mutating func grow() {
    let size = slots.count * 2
    slots = [Int32](repeating: -1, count: size)
    octets.withUnsafeBufferPointer { all in
      for index in names.indices {
        var slot = Self.hash(all.part(starts[index], starts[index + 1])) & (size - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
        slots[slot] = Int32(index)
      }
    }
  }

  /// FNV-1a (Fowler, Noll, Vo), 64 bits, folded.
  static func hash(_ name: LineBytes) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for octet in name { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: hash ^ hash >> 32)
  }
}
