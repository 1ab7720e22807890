/// Which replica has a prompt's beginning in its cache: consistent hashing with bounded loads (Mirrokni, Thorup,
/// Zadimoghaddam, 2016), as KubeAI's `PrefixHash`. Every gateway finds the same replica without talking to the others, a
/// replica that comes or goes moves only its own share, and none gets more than a fixed factor of the average.
///
/// A value. Building is O(n log n) in the replicas, finding O(log n).
struct AffinityRing: Sendable {
  /// Points of each replica on the ring (KubeAI's `replication`).
  static let replication = 256
  /// A replica may have this much of the average load, in percent (KubeAI's `meanLoadFactor`).
  static let loadFactorPercent = 125

  private struct Point: Sendable {
    var hash: UInt64
    var replica: Int32
  }

  private var points: [Point] = []

  /// - Parameter identities: names of the replicas; the results of ``replica(for:accepts:)`` are indices of this list.
  init(_ identities: [String] = []) {
    points.reserveCapacity(identities.count * Self.replication)
    for (index, identity) in identities.enumerated() {
      let seed = Self.fnv(identity)
      for number in 0..<Self.replication {
        points.append(Point(hash: Self.mixed(seed &+ UInt64(number)), replica: Int32(index)))
      }
    }
    points.sort { ($0.hash, $0.replica) < ($1.hash, $1.replica) }
  }

  /// The first replica at or after the key that takes it; nil: none does.
  ///
  /// - Parameter accepts: whether a replica has room, within ``bound(inFlight:replicas:)``.
  func replica(for key: UInt64, accepts: (Int) -> Bool) -> Int? {
    guard !points.isEmpty else { return nil }
    let wanted = Self.mixed(key)
    var low = 0
    var high = points.count
    while low < high {
      let middle = (low + high) / 2
      if points[middle].hash < wanted { low = middle + 1 } else { high = middle }
    }
    var refused: Int32 = -1
    for step in 0..<points.count {
      let replica = points[(low + step) % points.count].replica
      // Neighbouring points of one replica are asked once.
      if replica == refused { continue }
      if accepts(Int(replica)) { return Int(replica) }
      refused = replica
    }
    return nil
  }

  /// Most requests in flight at one replica, once one more is placed: the average and a quarter, rounded up.
  static func bound(inFlight: Int, replicas: Int) -> Int {
    guard replicas > 0 else { return 0 }
    return ((inFlight + 1) * loadFactorPercent + 100 * replicas - 1) / (100 * replicas)
  }

  private static func fnv(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// The finalizer of SplitMix64 (Steele, Lea, Flood, 2014).
  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
