/// A number that only grows: requests, failures, bytes. By convention its name ends in `_total`.
public final class Counter: Sendable {
  /// One set of label values of a counter; keep it where the same one is counted often.
  public final class Series: Sendable {
    private let total = AtomicDouble(0)
    init() {}
    /// Negative amounts are ignored: a counter never falls.
    public func increment(by amount: Double = 1) { if amount > 0 { total.add(amount) } }
    public var value: Double { total.value }
  }

  let table: SeriesTable<Series>

  init(name: String, help: String, labels: [String], limit: Int) {
    table = SeriesTable(name: name, help: help, labelNames: labels, limit: limit) { Series() }
  }

  /// The series with these label values, in the order of the label names; made when it is new.
  public func series(_ labels: [String]) -> Series { table.series(labels) }

  /// Counts `amount` for these label values.
  public func increment(_ labels: String..., by amount: Double = 1) { table.series(labels).increment(by: amount) }

  /// 0 where nothing was counted yet.
  public func value(_ labels: String...) -> Double { table.existing(labels)?.value ?? 0 }

  /// Forgets a series whose subject is gone.
  public func remove(_ labels: String...) { table.remove(labels) }
}

/// A number that rises and falls: requests in flight, replicas.
public final class Gauge: Sendable {
  /// One set of label values of a gauge.
  public final class Series: Sendable {
    private let current = AtomicDouble(0)
    init() {}
    public func set(_ value: Double) { current.store(value) }
    public func add(_ amount: Double) { current.add(amount) }
    public var value: Double { current.value }
  }

  let table: SeriesTable<Series>

  init(name: String, help: String, labels: [String], limit: Int) {
    table = SeriesTable(name: name, help: help, labelNames: labels, limit: limit) { Series() }
  }

  /// The series with these label values, in the order of the label names; made when it is new.
  public func series(_ labels: [String]) -> Series { table.series(labels) }

  public func set(_ value: Double, _ labels: String...) { table.series(labels).set(value) }

  public func add(_ amount: Double, _ labels: String...) { table.series(labels).add(amount) }

  /// 0 where nothing was set yet.
  public func value(_ labels: String...) -> Double { table.existing(labels)?.value ?? 0 }

  /// Forgets a series whose subject is gone.
  public func remove(_ labels: String...) { table.remove(labels) }
}
