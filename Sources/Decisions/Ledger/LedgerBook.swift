/// The accounts of one namespace from one day on, as they are stored: rows of the hours, and how far everything is counted.
///
/// A value without clock. Times are wall times in milliseconds since 1970, hours are counted since 1970 (UTC). What is counted
/// and how far it is counted change together and are stored together: whoever loads a book goes on from there without counting
/// anything twice, and counts what happened since.
public struct LedgerBook: Hashable, Sendable {
  public static let millisecondsPerHour = 3_600_000
  public static let hoursPerDay = 24

  /// Time of replicas of one pool at one set of rates.
  public struct ReplicaKey: Hashable, Comparable, Sendable {
    public var hour: Int
    public var pool: String
    /// Index in ``LedgerBook/rates``.
    public var rate: Int
    public init(hour: Int, pool: String, rate: Int) {
      self.hour = hour
      self.pool = pool
      self.rate = rate
    }
    public static func < (left: Self, right: Self) -> Bool {
      (left.hour, left.pool, left.rate) < (right.hour, right.pool, right.rate)
    }
  }

  public struct UsageKey: Hashable, Comparable, Sendable {
    public var hour: Int
    public var pool: String
    public var tenant: String
    public init(hour: Int, pool: String, tenant: String) {
      self.hour = hour
      self.pool = pool
      self.tenant = tenant
    }
    public static func < (left: Self, right: Self) -> Bool {
      (left.hour, left.pool, left.tenant) < (right.hour, right.pool, right.tenant)
    }
  }

  /// A pool at one set of rates, over all time.
  public struct PoolRate: Hashable, Comparable, Sendable {
    public var pool: String
    public var rate: Int
    public init(pool: String, rate: Int) {
      self.pool = pool
      self.rate = rate
    }
    public static func < (left: Self, right: Self) -> Bool { (left.pool, left.rate) < (right.pool, right.rate) }
  }

  /// What was wanted, and what requests needed, since when.
  public struct Course: Hashable, Sendable {
    public var at: Int
    public var wanted: Int
    public var floor: Int
    public var needed: Int
    public init(at: Int, wanted: Int, floor: Int, needed: Int) {
      self.at = at
      self.wanted = wanted
      self.floor = floor
      self.needed = needed
    }
  }

  /// Advice on what a replica carries, and since when it holds.
  public struct CapacityNote: Hashable, Sendable {
    public var advice: CapacityAdvice
    public var at: Int
    public init(advice: CapacityAdvice, at: Int) {
      self.advice = advice
      self.at = at
    }
  }

  public struct Model: Hashable, Sendable {
    public var replicas: [ReplicaKey: ReplicaTime] = [:]
    public var usage: [UsageKey: LedgerCounts] = [:]
    public var demand: [Int: BaselineDemand] = [:]
    /// Since when the model is counted; the totals carry over from day to day.
    public var since: Int
    public var total: [PoolRate: ReplicaTime] = [:]
    public var totalCounts = LedgerCounts()
    /// The most replicas that requests needed at once.
    public var peak = 0
    public var course: Course?
    public var capacity: CapacityNote?
    /// Opaque text that others keep here through restarts; see ``LedgerBook/setNote(_:for:)``.
    public var note = ""
    /// The service is no more: its rows stay, and its totals begin anew should another one come by its name.
    public var isGone = false
    public init(since: Int) { self.since = since }
  }

  public struct PodRecord: Hashable, Sendable {
    public var model: String
    public var pool: String
    public var phase: ReplicaPhase
    /// Its time is counted until then.
    public var counted: Int
    /// When its deletion must be over; nil: it is not being deleted.
    public var deadline: Int?
    /// All of its time is counted; its object is still there.
    public var hasEnded = false
    /// Ready time that is not yet known to have been busy.
    public var credit = 0
    /// Busy time, heard and not yet booked, by gateway.
    public var pending: [String: Int] = [:]
    public init(model: String, pool: String, phase: ReplicaPhase, counted: Int) {
      self.model = model
      self.pool = pool
      self.phase = phase
      self.counted = counted
    }
  }

  /// The last counts of a gateway that are in the rows.
  public struct GatewayCursor: Hashable, Sendable {
    public var bootID: String
    public var heard: Int
    public var services: [String: ServiceAccount] = [:]
    /// Its rows are summed over tenants: there was no room for more.
    public var isFolded = false
    /// Of a folded one, the models whose rows were told since, by tenant again. Not stored.
    var unfolded: Set<String> = []
    public init(bootID: String, heard: Int) {
      self.bootID = bootID
      self.heard = heard
    }
  }

  /// A time of which something is not known.
  public struct Gap: Hashable, Sendable {
    public var from: Int
    public var to: Int
    public init(from: Int, to: Int) {
      self.from = from
      self.to = to
    }
  }

  public let namespace: String
  /// Days since 1970 (UTC).
  public let day: Int
  /// When this book was opened, and until when it counts.
  public var from: Int
  public var to: Int
  public var rates: [LedgerRates] = []
  public var models: [String: Model] = [:]
  public var pods: [String: PodRecord] = [:]
  public var gateways: [String: GatewayCursor] = [:]
  public var gaps: [Gap] = []
  /// Which part of how many this is, in a store with room for so much in one object; in memory a book is whole.
  public var part = 0
  public var parts = 1
  /// Hours or tenants were summed up for want of room.
  public var isFolded = false
  /// The cursors found no room: counts from before ``to`` are a base to count from.
  public var lostCursors = false
  /// Rates in force by model and pool; not stored.
  var rateInForce: [String: [String: Int]] = [:]
  /// Until when a book that was loaded had been counted: what goes on from before that was not watched. Not stored.
  public var resumedAt: Int?

  public init(namespace: String, day: Int, from: Int) {
    self.namespace = namespace
    self.day = day
    self.from = from
    to = from
  }

  public static func day(of milliseconds: Int) -> Int { floorDivide(milliseconds, millisecondsPerHour * hoursPerDay) }
  public static func hour(of milliseconds: Int) -> Int { floorDivide(milliseconds, millisecondsPerHour) }

  /// How long after midnight a day's book is still written: what happened just before comes late.
  public static let closing = 60_000

  /// Whether the next day's book is due.
  public func isOver(at now: Int) -> Bool { Self.day(of: now - Self.closing) > day }

  /// The next book: no rows, and everything goes on.
  public func next(at now: Int) -> LedgerBook {
    var book = LedgerBook(namespace: namespace, day: Self.day(of: now), from: to)
    book.resumedAt = resumedAt
    book.lostCursors = lostCursors
    var moved: [Int: Int] = [:]
    func index(_ rate: Int) -> Int {
      if let known = moved[rate] { return known }
      book.rates.append(rates[rate])
      moved[rate] = book.rates.count - 1
      return book.rates.count - 1
    }
    let running = Set(pods.values.map(\.model))
    for (name, model) in models.sorted(by: { $0.key < $1.key }) where !model.isGone || running.contains(name) {
      var carried = Model(since: model.since)
      for (key, time) in model.total.sorted(by: { $0.key < $1.key }) {
        carried.total[PoolRate(pool: key.pool, rate: index(key.rate))] = time
      }
      (carried.totalCounts, carried.peak, carried.course, carried.note) = (
        model.totalCounts, model.peak, model.course, model.note
      )
      carried.capacity = model.capacity
      carried.isGone = model.isGone
      book.models[name] = carried
      book.rateInForce[name] = rateInForce[name]?.mapValues(index)
    }
    book.pods = pods
    book.gateways = gateways.filter { now - $0.value.heard < Self.cursorLife }.mapValues(withoutPast)
    return book
  }

  /// A cursor without the busy time of pods that are gone: all of it is counted.
  private func withoutPast(_ cursor: GatewayCursor) -> GatewayCursor {
    var cursor = cursor
    cursor.services = cursor.services.mapValues { account in
      var account = account
      account.busyMilliseconds = account.busyMilliseconds.filter { pods[$0.key] != nil }
      return account
    }
    return cursor
  }

  /// How long a silent gateway's counts are kept: afterwards what it says anew is a base to count from.
  public static let cursorLife = 24 * millisecondsPerHour

  /// Nothing runs and nothing is about to: time passes without anything to count.
  public var isAtRest: Bool {
    pods.values.allSatisfy(\.hasEnded) && models.values.allSatisfy { ($0.course?.wanted ?? 0) == 0 }
  }

  // MARK: - Notes

  /// Longest note, in bytes of UTF-8.
  public static let longestNote = 2048

  /// Nil: there is none, or it is of a service that is no more.
  public func note(for model: String) -> String? {
    models[model].flatMap { $0.note.isEmpty || $0.isGone ? nil : $0.note }
  }

  /// Keeps a text with a model through restarts. - Returns: whether it was taken: it is short enough and the model is known.
  public mutating func setNote(_ note: String, for model: String) -> Bool {
    guard note.utf8.count <= Self.longestNote, models[model] != nil else { return false }
    models[model]?.note = note
    return true
  }
}

func floorDivide(_ dividend: Int, _ divisor: Int) -> Int {
  let quotient = dividend / divisor
  return dividend % divisor < 0 ? quotient - 1 : quotient
}
