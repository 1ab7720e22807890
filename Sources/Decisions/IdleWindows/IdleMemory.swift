/// All that `sleepAfter: Auto` knows of one service: what a restart of the controller must not forget.
///
/// ``packed`` is at most ``mostBytes`` long and names its version; what all services have in common is with
/// ``IdleWindowLearner``.
public struct IdleMemory: Hashable, Sendable {
  /// Of ``packed``.
  static let version: UInt8 = 3
  public static let mostBytes = 460

  public var history: IdleHistory
  /// For the silence that goes on, or the last one.
  public var choice: IdleWindowChoice?
  /// Requests that waited on average while a replica loaded.
  public var meanWaiters: Double
  /// The load time that was known last, in seconds; nil: no wake was seen.
  public var loadSeconds: Double?

  public init(
    history: IdleHistory = IdleHistory(), choice: IdleWindowChoice? = nil, meanWaiters: Double = 1,
    loadSeconds: Double? = nil
  ) {
    self.history = history
    self.choice = choice
    self.meanWaiters = meanWaiters
    self.loadSeconds = loadSeconds
  }

  public var packed: [UInt8] {
    var writer = PackedWriter()
    writer.put(Self.version)
    history.pack(into: &writer)
    writer.put(single: meanWaiters)
    writer.put(single: loadSeconds ?? -1)
    writer.put(UInt8(choice == nil ? 0 : 1))
    if let choice {
      for value in [choice.window, choice.wakePrice, choice.expectedCost, choice.returnChance, choice.shareEnded ?? -1]
      {
        writer.put(value)
      }
      writer.put(UInt32(clamping: choice.gaps))
      choice.ahead.pack(into: &writer)
    }
    return writer.bytes
  }

  /// - Throws: ``UnreadableIdleMemory``: another version, or no such memory at all.
  public init(packed bytes: [UInt8]) throws(UnreadableIdleMemory) {
    var reader = PackedReader(bytes)
    let version = reader.integer(UInt8.self)
    guard version == Self.version else {
      throw UnreadableIdleMemory(
        "version \(version.map { "\($0)" } ?? "none"); this program reads version \(Self.version)")
    }
    guard let history = IdleHistory(&reader), let waiters = reader.single(), waiters >= 0,
      waiters <= 1e9,
      let load = reader.single(), let hasChoice = reader.integer(UInt8.self)
    else { throw UnreadableIdleMemory("it ends early, or a number is out of range") }
    self.init(history: history, meanWaiters: waiters, loadSeconds: load >= 0 ? min(load, 86_400) : nil)
    if hasChoice == 1 {
      guard let choice = IdleWindowChoice(&reader) else {
        throw UnreadableIdleMemory("its window is not from 1 s to 86400 s, or it ends early")
      }
      self.choice = choice
    }
    guard reader.isAtEnd else { throw UnreadableIdleMemory("it is longer than it says") }
  }
}

extension IdleWindowChoice {
  fileprivate init?(_ reader: inout PackedReader) {
    guard let window = reader.double(), let price = reader.double(), let cost = reader.double(),
      let chance = reader.double(), let share = reader.double(), let gaps = reader.integer(UInt32.self),
      window >= IdleGrid.edges[0], window <= IdleGrid.edges[IdleGrid.steps], price >= 0, cost >= 0
    else { return nil }
    self.init(window: window, wakePrice: price, returnChance: min(1, max(0, chance)), expectedCost: cost)
    self.gaps = Int(gaps)
    guard let ahead = [WakeAhead](&reader) else { return nil }
    self.ahead = ahead
    shareEnded = share >= 0 ? min(1, share) : nil
  }
}
