/// Finds a number by a name given as bytes, without making a String of them: an open-addressing table, built once.
struct NameIndex: Sendable {
  private var slots: [Int32] = [-1]
  private var starts: [Int32] = [0]
  private var octets: [UInt8] = []
  private var values: [Int32] = []

  init(_ entries: [String: Int] = [:]) {
    guard !entries.isEmpty else { return }
    var size = 8
    while size < entries.count * 2 { size *= 2 }
    slots = Array(repeating: -1, count: size)
    for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
      let entry = Int32(values.count)
      octets.append(contentsOf: name.utf8)
      starts.append(Int32(octets.count))
      values.append(Int32(value))
      var slot = Int(truncatingIfNeeded: Array(name.utf8).withUnsafeBytes { Self.hash($0) }) & (size - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = entry
    }
  }

  /// The number of a name, compared byte for byte after ASCII letters are lowered; names in the table are lower case.
  func find(_ name: UnsafeRawBufferPointer) -> Int? {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: Self.hash(name)) & mask
    while slots[slot] >= 0 {
      let entry = Int(slots[slot])
      if equals(entry, name) { return Int(values[entry]) }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private func equals(_ entry: Int, _ name: UnsafeRawBufferPointer) -> Bool {
    let start = Int(starts[entry])
    guard Int(starts[entry + 1]) - start == name.count else { return false }
    for index in 0..<name.count where octets[start + index] != Self.lower(name[index]) { return false }
    return true
  }

  /// FNV-1a, 64 bits. Names come from cluster objects, not from strangers: nobody can choose them to collide.
  private static func hash(_ name: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for octet in name { hash = (hash ^ UInt64(lower(octet))) &* 0x100_0000_01B3 }
    return hash ^ hash >> 32
  }

  @inline(__always) private static func lower(_ octet: UInt8) -> UInt8 {
    octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet
  }
}
