/// In which ten minutes of the last 42 hours there was activity.
struct ActivityBits: Hashable, Sendable {
  static let span = 600.0
  /// Bits kept: more than the day looked back and the step looked at.
  private static let capacity = 256

  /// Bit `n % 256` is for the `n`th ten minutes since 1970.
  private var words: [UInt64] = [0, 0, 0, 0]
  /// The newest ten minutes noted.
  private var newest: Int?

  /// What a time span says of itself.
  enum Share: Int {
    case unknown, none, some, most, all
  }

  mutating func note(_ moment: Double) {
    guard let slot = Self.slot(moment) else { return }
    if let newest, slot > newest {
      // What was there 42 hours ago makes room.
      for passed in (newest + 1)...max(newest + 1, min(slot, newest + Self.capacity)) { set(passed, false) }
    }
    newest = max(newest ?? slot, slot)
    set(slot, true)
  }

  /// How much of the ten minutes from `start` to `end` had activity.
  func share(from start: Double, to end: Double) -> Share {
    guard let newest, let first = Self.slot(start), let last = Self.slot(end - 1e-6), last >= first else {
      return .unknown
    }
    guard first > newest - Self.capacity else { return .unknown }
    var active = 0
    for slot in first...last where slot <= newest && isSet(slot) { active += 1 }
    if active == 0 { return .none }
    let all = last - first + 1
    return active * 2 < all ? .some : active < all ? .most : .all
  }

  private static func slot(_ moment: Double) -> Int? {
    guard moment >= 0, moment < 1e12 else { return nil }
    return Int(moment / span)
  }

  private mutating func set(_ slot: Int, _ value: Bool) {
    let (word, bit) = (slot % Self.capacity / 64, UInt64(1) << UInt64(slot % 64))
    if value { words[word] |= bit } else { words[word] &= ~bit }
  }

  private func isSet(_ slot: Int) -> Bool { words[slot % Self.capacity / 64] & (1 << UInt64(slot % 64)) != 0 }
}

extension ActivityBits {
  func pack(into writer: inout PackedWriter) {
    for word in words { writer.put(word) }
    writer.put(UInt32(clamping: newest.map { $0 + 1 } ?? 0))
  }

  /// Nil: it ends early.
  init?(_ reader: inout PackedReader) {
    for index in words.indices {
      guard let word = reader.integer(UInt64.self) else { return nil }
      words[index] = word
    }
    guard let newest = reader.integer(UInt32.self) else { return nil }
    self.newest = newest > 0 ? Int(newest) - 1 : nil
  }
}
