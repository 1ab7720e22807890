/// How the slots of every replica of one model are dealt to the gateways, which must not use more than there are.
///
/// Whoever knows the weights, a replica's limit and its pod's UID computes the same deal, so that gateways that have the
/// same weights agree without talking, whatever other pods each of them knows at the moment.
public struct SlotWeights: Hashable, Sendable, Codable {
  /// Weight of each gateway, by its place in the sorted list of their names.
  public let parts: [Int]
  /// Deals what does not divide otherwise: where there are fewer slots than gateways that want one, they take turns.
  public let turn: Int

  /// Largest weight: sums of these, times a limit, stay far from overflow.
  public static let largestPart = 1_000_000
  /// Most gateways.
  public static let mostParts = 1000

  /// - Throws: ``Problem`` when there is no weight at all, one is out of bounds or there are too many.
  public init(parts: [Int], turn: Int = 0) throws(Problem) {
    guard parts.count <= Self.mostParts else { throw .tooMany(parts.count) }
    if let part = parts.first(where: { !(0...Self.largestPart).contains($0) }) { throw .outOfBounds(part) }
    guard parts.contains(where: { $0 > 0 }) else { throw .nobody }
    self.parts = parts
    self.turn = turn
  }

  private init(even count: Int) {
    parts = Array(repeating: 1, count: count)
    turn = 0
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      parts: try values.decode([Int].self, forKey: .parts),
      turn: try values.decodeIfPresent(Int.self, forKey: .turn) ?? 0)
  }

  /// All the same: the deal when nobody says otherwise.
  public static func even(_ count: Int) -> SlotWeights { SlotWeights(even: max(1, count)) }

  public var isEven: Bool { turn == 0 && parts.allSatisfy { $0 == parts[0] } }

  /// A gateway's part of all, from 0 to 1.
  public func fraction(_ index: Int) -> Double { Double(parts[index]) / Double(parts.reduce(0, +)) }

  /// One gateway's slots of one replica. Over all gateways they add up to `limit`.
  ///
  /// Every gateway keeps a small even base (see ``base(of:)``). The rest is dealt by systematic sampling (Madow 1949): the
  /// weights laid end to end on a line of `rest` slots, cut at the whole numbers behind an offset that the pod's UID and
  /// ``turn`` give. So each gets its quota rounded down or up, and over many pods the quota exactly, even where a replica
  /// has one slot only; a rule of largest remainders would give all of those to the same gateway.
  public func slots(of limit: Int, podUID: String, index: Int) -> Int {
    guard parts.indices.contains(index), limit > 0 else { return 0 }
    let base = base(of: limit)
    let rest = min(limit, 1_000_000_000) - base * parts.count
    let before = parts[..<index].reduce(0, +)
    let total = before + parts[index...].reduce(0, +)
    let place = Self.mix(Self.hash(podUID) &+ UInt64(bitPattern: Int64(turn)) &* 0x9E37_79B9_7F4A_7C15)
    let offset = Int(place.multipliedFullWidth(by: UInt64(total)).high)
    return base + ((before + parts[index]) * rest + offset) / total - (before * rest + offset) / total
  }

  /// What every gateway keeps of a replica whatever its weight, so that a first request there need not wait for a new deal.
  /// A twentieth of the replica at most for all together: a gateway with all the demand gets 95 % or more.
  private func base(of limit: Int) -> Int { min(limit, 1_000_000_000) / (20 * parts.count) }

  /// FNV-1a, 64 bits: the same in every process, which Swift's own hashes are not.
  private static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// Spreads a hash over all bits (the finalizer of MurmurHash3): FNV leaves the upper ones alike for alike names.
  private static func mix(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ (value >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    value = (value ^ (value >> 33)) &* 0xC4CE_B9FE_1A85_EC53
    return value ^ (value >> 33)
  }

  /// Why weights cannot be dealt by.
  public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
    case nobody
    case outOfBounds(Int)
    case tooMany(Int)

    public var description: String {
      switch self {
      case .nobody: "no gateway has a weight, one must be above 0"
      case .outOfBounds(let part): "a weight is \(part), must be from 0 to \(SlotWeights.largestPart)"
      case .tooMany(let count): "weights of \(count) gateways, at most \(SlotWeights.mostParts) are taken"
      }
    }
  }
}
