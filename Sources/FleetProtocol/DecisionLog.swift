/// The latest decisions of every model, within two bounds: of one model, so that a restless one does not push out the others,
/// and of all, so that memory is bounded however many models there are.
public struct DecisionLog<Key: Hashable & Sendable>: Sendable {
  /// Most records of one model.
  public let perModel: Int
  /// Most records in all; the oldest go first.
  public let total: Int
  private var records: [Key: [DecisionRecord]] = [:]
  /// Whose record is next to go, oldest first; `passed` of them have gone.
  private var order: [Key] = []
  private var passed = 0
  /// Records that went before their turn in ``order``.
  private var gone: [Key: Int] = [:]
  /// Records kept.
  public private(set) var count = 0

  public init(perModel: Int, total: Int) {
    self.perModel = max(1, perModel)
    self.total = max(1, total)
  }

  public mutating func append(_ record: DecisionRecord, of key: Key) {
    if records[key]?.count ?? 0 >= perModel {
      records[key]?.removeFirst()
      gone[key, default: 0] += 1
      count -= 1
    }
    records[key, default: []].append(record)
    order.append(key)
    count += 1
    while count > total, passed < order.count { dropOldest() }
    if passed > 1024, passed > order.count / 2 {
      order.removeFirst(passed)
      passed = 0
    }
    // Records that went early still stand in line: not more of them than there are records.
    if order.count - passed > 2 * total { compact() }
  }

  /// The records of one model, oldest first.
  public subscript(key: Key) -> [DecisionRecord] { records[key] ?? [] }

  /// Forgets a model.
  public mutating func remove(_ key: Key) {
    guard let removed = records.removeValue(forKey: key) else { return }
    count -= removed.count
    gone[key, default: 0] += removed.count
  }

  private mutating func dropOldest() {
    let key = order[passed]
    passed += 1
    if let early = gone[key], early > 0 {
      gone[key] = early == 1 ? nil : early - 1
      return
    }
    records[key]?.removeFirst()
    count -= 1
    if records[key]?.isEmpty ?? false { records[key] = nil }
  }

  /// Takes out of the line those that went early: the first ones of their model.
  private mutating func compact() {
    order = order[passed...].filter { key in
      guard let early = gone[key], early > 0 else { return true }
      gone[key] = early == 1 ? nil : early - 1
      return false
    }
    passed = 0
  }
}
