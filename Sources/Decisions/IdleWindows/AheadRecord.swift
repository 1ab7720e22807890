/// What plans that sleep sooner, or wake ahead of requests, would have brought over past silences.
struct AheadRecord: Hashable, Sendable {
  /// Silences of all models that count beside a model's own.
  private static let weightOfAll = 50.0

  /// What the plan would have saved against the window, in wakes' prices; older ones count for less.
  private var gain = 0.0
  /// Silences in which the two differed, older ones counting for less.
  private var silences = 0.0

  mutating func add(_ gain: Double, memory: Double) {
    self.gain = self.gain * memory + gain
    silences = silences * memory + 1
  }

  /// Of a silence, from its own past and that of all.
  func meanGain(beside all: AheadRecord) -> Double {
    let mean = all.silences > 0 ? all.gain / all.silences : 0
    return (gain + Self.weightOfAll * mean) / (silences + Self.weightOfAll)
  }
}

/// Two plans for one silence, of which one is followed.
struct RivalPlans: Hashable, Sendable {
  /// A window of ``IdleWindowLearner/leastWindow`` or more.
  var staying: SilencePlan
  var ahead: SilencePlan
  var loadSeconds: Double
  var wakePrice: Double

  /// What the other plan saves in a silence of so many seconds, in prices of a wake.
  func gain(of gap: Double) -> Double {
    guard wakePrice > 0 else { return 0 }
    func cost(_ plan: SilencePlan) -> Double { plan.cost(of: gap, loadSeconds: loadSeconds, wakePrice: wakePrice) }
    return (cost(staying) - cost(ahead)) / wakePrice
  }
}

// MARK: - Kept through restarts

extension AheadRecord {
  func pack(into writer: inout PackedWriter) {
    writer.put(single: gain)
    writer.put(single: silences)
  }

  /// Nil: it ends early, or a number is out of range.
  init?(_ reader: inout PackedReader) {
    guard let gain = reader.single(), abs(gain) < 1e9, let silences = reader.single(), 0...1e4 ~= silences else {
      return nil
    }
    (self.gain, self.silences) = (gain, silences)
  }

  /// Nil: it is no such record.
  init?(packed bytes: [UInt8]) {
    var reader = PackedReader(bytes)
    self.init(&reader)
    guard reader.isAtEnd else { return nil }
  }
}

extension RivalPlans {
  func pack(into writer: inout PackedWriter) {
    for value in [staying.window, loadSeconds, wakePrice, ahead.window] { writer.put(single: value) }
    ahead.ahead.pack(into: &writer)
  }

  /// Nil: it ends early, or a number is out of range.
  init?(_ reader: inout PackedReader) {
    guard let staying = reader.single(), let load = reader.single(), let price = reader.single(),
      let window = reader.single(), load >= 0, price >= 0, let ahead = [WakeAhead](&reader)
    else { return nil }
    self.init(
      staying: SilencePlan(window: staying), ahead: SilencePlan(window: window, ahead: ahead), loadSeconds: load,
      wakePrice: price)
  }
}

extension [WakeAhead] {
  func pack(into writer: inout PackedWriter) {
    writer.put(UInt8(clamping: count))
    for wake in self {
      writer.put(single: wake.from)
      writer.put(single: wake.until)
    }
  }

  /// Nil: it ends early, there are too many, or they are not in order.
  init?(_ reader: inout PackedReader) {
    guard let count = reader.integer(UInt8.self), count <= SilencePlan.mostWakes else { return nil }
    self = []
    for _ in 0..<count {
      guard let from = reader.single(), let until = reader.single(), from >= last?.until ?? 0, until >= from,
        until <= 86_400
      else { return nil }
      append(WakeAhead(from: from, until: until))
    }
  }
}
