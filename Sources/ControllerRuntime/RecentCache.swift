/// Remembers what was used of late and forgets the rest: at least the last `capacity / 2` keys that were looked up or set, at
/// most `capacity`. Two generations: what is used moves to the young one, and when that is full the old one goes.
public struct RecentCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let half: Int
  private var young: [Key: Value] = [:]
  private var old: [Key: Value] = [:]

  /// - Parameter capacity: most values kept; 2 at least.
  public init(capacity: Int) { half = max(1, capacity / 2) }

  public var count: Int { young.count + old.count }

  /// The value of a key, which counts as a use of it.
  public mutating func value(_ key: Key) -> Value? {
    if let value = young[key] { return value }
    guard let value = old.removeValue(forKey: key) else { return nil }
    set(key, value)
    return value
  }

  /// The value of a key, which does not count as a use of it.
  public func peek(_ key: Key) -> Value? { young[key] ?? old[key] }

  public mutating func set(_ key: Key, _ value: Value) {
    old[key] = nil
    if young.count >= half, young[key] == nil {
      old = young
      young = [:]
    }
    young[key] = value
  }

  public mutating func remove(_ key: Key) {
    young[key] = nil
    old[key] = nil
  }
}
