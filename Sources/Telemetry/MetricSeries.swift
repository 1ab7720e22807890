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

/// A fixed number of words that many threads change without a lock.
///
/// `@unchecked`: the cells are allocated once, freed when nobody refers to them any more, and only ever touched atomically.
final class AtomicCells: @unchecked Sendable {
  private let cells: UnsafeMutableBufferPointer<Atomic<UInt64>>

  init(count: Int) {
    cells = .allocate(capacity: count)
    for index in 0..<count { cells.initializeElement(at: index, to: Atomic(0)) }
  }

  deinit {
    cells.deinitialize()
    cells.deallocate()
  }

  subscript(index: Int) -> UInt64 { cells[index].load(ordering: .relaxed) }

  func store(_ word: UInt64, at index: Int) { cells[index].store(word, ordering: .relaxed) }

  func add(_ amount: UInt64, at index: Int) { cells[index].wrappingAdd(amount, ordering: .relaxed) }
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
