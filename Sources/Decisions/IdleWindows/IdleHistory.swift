import Glibc

/// What is remembered of one model's silences. Moments are wall time in seconds since 1970: what is learned is the time of
/// day, too. A silence (a *gap*) lasts from the end of the last request to the arrival of the next.
public struct IdleHistory: Hashable, Sendable {
  /// Share by which each silence ages those before it: half is forgotten after 138.
  static let memory = 0.995
  /// A silence of more than so many seconds ends a time of activity.
  static let quiet = 300.0

  /// Silences by step of ``IdleGrid``, older ones counting for less; the last is for those past the grid.
  var counts = [Double](repeating: 0, count: IdleGrid.steps + 1)
  /// Silences of any length.
  public internal(set) var gaps = 0
  /// Mean of the logarithm of recent silences, short ones too.
  var logScale = 0.0
  /// The largest logarithm of recent silences; a tenth is taken off with each further one.
  var logPeak = 0.0
  /// When the present time of activity began; nil: nothing was seen yet.
  var activeSince: Double?
  /// When the first request was seen.
  var firstSeen: Double?
  /// In which ten minutes of the last day and a half requests ended.
  var activity = ActivityBits()
  /// Which ten minutes of the clock the last silence began in, and how many have begun in them.
  private var span = 0
  private var begun = 0
  /// The silence that goes on, while one does.
  public internal(set) var pending: IdleMoment?
  /// What was planned for it, where wakes ahead are allowed.
  var rivals: RivalPlans?
  /// What wakes ahead would have brought this model.
  var ahead = AheadRecord()

  public init() {}

  /// Silences that are in the grid, older ones counting for less.
  var counted: Double { counts.reduce(0, +) }

  /// Of the silences of more than a second, the share that was over within a window of so many seconds; nil: there was none.
  public func shareEnded(within window: Double) -> Double? {
    let all = counted
    guard all > 0 else { return nil }
    var ended = 0.0
    for step in 0..<IdleGrid.steps where IdleGrid.edges[step + 1] <= window * 1.000_001 { ended += counts[step] }
    return ended / all
  }

  /// A silence begins.
  mutating func begin(at moment: Double) -> IdleMoment {
    if firstSeen == nil { firstSeen = moment }
    activity.note(moment)
    let began = activeSince ?? moment
    activeSince = began
    let present = Int(moment / ActivityBits.span)
    (begun, span) = (present == span ? begun + 1 : 1, present)
    let idle = IdleMoment(
      start: moment, scale: gaps == 0 ? 0 : 1 + Self.bucket((logScale + 2.3) / 1.15, most: 10),
      age: Self.doublings(of: moment - began, most: 17),
      peak: gaps == 0 ? 0 : 1 + Self.bucket(logPeak + 2.3, most: 14),
      turns: Self.bucket(log(Double(begun)) / log(1.6), most: 22))
    pending = idle
    return idle
  }

  /// The silence ended after so many seconds.
  mutating func end(after gap: Double, from start: Double) {
    if let step = IdleGrid.step(of: gap) {
      for index in counts.indices { counts[index] *= Self.memory }
      counts[step] += 1
    }
    let logarithm = log(max(gap, 0.1))
    gaps += 1
    logScale += max(1 / Double(gaps), 0.02) * (logarithm - logScale)
    logPeak = gaps == 1 ? logarithm : max(logarithm, logPeak - 0.1)
    if gap > Self.quiet { activeSince = start + gap }
    (pending, rivals) = (nil, nil)
  }

  private static func bucket(_ value: Double, most: Int) -> Int { min(most, max(0, Int(value.rounded(.down)))) }

  /// How often 1 s doubles to `seconds`.
  private static func doublings(of seconds: Double, most: Int) -> Int {
    guard seconds >= 2 else { return 0 }
    return min(most, Int(log2(seconds).rounded(.down)))
  }
}

// MARK: - Kept through restarts

extension IdleHistory {
  private struct Present: OptionSet {
    var rawValue: UInt8
    static let active = Present(rawValue: 1)
    static let seen = Present(rawValue: 2)
    static let pending = Present(rawValue: 4)
    static let rivals = Present(rawValue: 8)
  }

  func pack(into writer: inout PackedWriter) {
    var present: Present = []
    if activeSince != nil { present.insert(.active) }
    if firstSeen != nil { present.insert(.seen) }
    if pending != nil { present.insert(.pending) }
    if rivals != nil { present.insert(.rivals) }
    writer.put(present.rawValue)
    for value in counts + [logScale, logPeak] { writer.put(single: value) }
    writer.put(UInt32(clamping: gaps))
    for moment in [activeSince, firstSeen, pending?.start].compactMap(\.self) { writer.put(moment) }
    if let pending {
      for value in [pending.scale, pending.age, pending.peak, pending.turns] { writer.put(UInt8(clamping: value)) }
    }
    writer.put(UInt32(clamping: span))
    writer.put(UInt16(clamping: begun))
    activity.pack(into: &writer)
    ahead.pack(into: &writer)
    rivals?.pack(into: &writer)
  }

  /// Nil: it ends early, or a number is out of range.
  init?(_ reader: inout PackedReader) {
    guard let flags = reader.integer(UInt8.self),
      let counts = reader.singles(IdleGrid.steps + 1, least: 0), let logScale = reader.single(),
      let logPeak = reader.single(), let gaps = reader.integer(UInt32.self)
    else { return nil }
    // Silences that age to nothing add up to 200 at most.
    guard counts.reduce(0, +) < 1000, abs(logScale) < 100, abs(logPeak) < 100 else { return nil }
    let present = Present(rawValue: flags)
    func moment(_ kind: Present) -> Double?? {
      guard present.contains(kind) else { return .some(nil) }
      guard let value = reader.double(), value >= 0, value < 1e12 else { return nil }
      return .some(value)
    }
    guard let active = moment(.active), let seen = moment(.seen), let start = moment(.pending) else { return nil }
    (self.counts, self.logScale, self.logPeak) = (counts, logScale, logPeak)
    (self.gaps, activeSince, firstSeen) = (Int(gaps), active, seen)
    if let start {
      guard let scale = reader.integer(UInt8.self), let age = reader.integer(UInt8.self),
        let peak = reader.integer(UInt8.self), let turns = reader.integer(UInt8.self)
      else { return nil }
      pending = IdleMoment(start: start, scale: Int(scale), age: Int(age), peak: Int(peak), turns: Int(turns))
    }
    guard let span = reader.integer(UInt32.self), let begun = reader.integer(UInt16.self),
      let activity = ActivityBits(&reader), let ahead = AheadRecord(&reader)
    else { return nil }
    (self.span, self.begun, self.activity, self.ahead) = (Int(span), Int(begun), activity, ahead)
    if present.contains(.rivals) {
      guard let rivals = RivalPlans(&reader) else { return nil }
      self.rivals = rivals
    }
  }

  /// The silence that goes on ended at a moment that nobody saw: nothing is learned from it.
  public mutating func dropPending() { (pending, rivals) = (nil, nil) }
}

/// What was known when a silence began: what the chance of its end is told from.
public struct IdleMoment: Hashable, Sendable {
  /// Seconds since 1970.
  public var start: Double
  /// Half decades of the usual silence; 0: none is known.
  var scale: Int
  /// Doublings of the seconds since the time of activity began.
  var age: Int
  /// Powers of e of the largest silence of late; 0: none is known.
  var peak: Int
  /// Powers of 1.6 of the silences that have begun in the same ten minutes of the clock.
  var turns: Int
}
