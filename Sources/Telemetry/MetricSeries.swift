import Synchronization

/// A number that many threads change without a lock.
struct AtomicDouble: ~Copyable, Sendable {
  private let bits: Atomic<UInt64>

  init(_ value: Double) { bits = Atomic(value.bitPattern) }

  var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  func store(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  func add(_ amount: Double) {
    var current = bits.load(ordering: .relaxed)
    while true {
      let next = (Double(bitPattern: current) + amount).bitPattern
      let (exchanged, original) = bits.weakCompareExchange(expected: current, desired: next, ordering: .relaxed)
      if exchanged { return }
      current = original
    }
  }
}

/// The series of one metric by their label values, bounded: label values come from users.
final class SeriesTable<Series: AnyObject & Sendable>: Sendable {
  let name: String
  let help: String
  let labelNames: [String]
  /// What every label of the one series reads that takes whatever comes after ``limit`` series.
  static var overflowValue: String { "other" }
  private let limit: Int
  private let make: @Sendable () -> Series
  private let table = Mutex<[[String]: Series]>([:])

  init(name: String, help: String, labelNames: [String], limit: Int, make: @escaping @Sendable () -> Series) {
    self.name = name
    self.help = help
    self.labelNames = labelNames
    self.limit = limit
    self.make = make
    if labelNames.isEmpty { _ = series([]) }
  }

  func series(_ values: [String]) -> Series {
    precondition(values.count == labelNames.count, "\(name) has the labels \(labelNames), not \(values.count) values")
    return table.withLock { table in
      if let series = table[values] { return series }
      let key = table.count < limit ? values : Array(repeating: Self.overflowValue, count: values.count)
      if let series = table[key] { return series }
      let series = make()
      table[key] = series
      return series
    }
  }

  func existing(_ values: [String]) -> Series? { table.withLock { $0[values] } }

  func remove(_ values: [String]) { table.withLock { _ = $0.removeValue(forKey: values) } }

  /// Sorted by label values.
  var sorted: [(values: [String], series: Series)] {
    table.withLock { table in
      table.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }
  }
}
