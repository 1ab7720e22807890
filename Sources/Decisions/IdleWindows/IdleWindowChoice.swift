/// How long an idle model stays awake, and why.
public struct IdleWindowChoice: Codable, Hashable, Sendable {
  /// Seconds, up to 86,400: at least ``IdleWindowLearner/leastWindow``, or 1 where wakes ahead are allowed.
  public var window: Double
  /// When a replica is there again ahead of a request that is expected; empty: never.
  public var ahead: [WakeAhead]
  /// What a wake costs, in replica-seconds.
  public var wakePrice: Double
  /// The chance that a silence which has lasted a second ends within the window, from 0 to 1.
  public var returnChance: Double
  /// Of such a silence, in replica-seconds: the replica's time, and the price of a wake where one is needed; wakes ahead are
  /// left out.
  public var expectedCost: Double
  /// Silences of this model that were seen.
  public var gaps: Int
  /// Of those of more than a second, the share that was over within the window; nil: there was none.
  public var shareEnded: Double?

  public init(
    window: Double, ahead: [WakeAhead] = [], wakePrice: Double, returnChance: Double, expectedCost: Double,
    gaps: Int = 0,
    shareEnded: Double? = nil
  ) {
    self.window = window
    self.ahead = ahead
    self.wakePrice = wakePrice
    self.returnChance = returnChance
    self.expectedCost = expectedCost
    self.gaps = gaps
    self.shareEnded = shareEnded
  }

  /// After so many seconds of the silence a replica should be there, or loading, for a request that is expected.
  public func isExpected(after idle: Double) -> Bool { ahead.contains { idle >= $0.from && idle < $0.until } }

  /// The next moment at which ``isExpected(after:)`` becomes true, in seconds of the silence; nil: it does not any more.
  public func nextExpected(after idle: Double) -> Double? { ahead.first { $0.from > idle }?.from }

  /// One sentence for people.
  public var explanation: String {
    let seen =
      shareEnded.map {
        "\(($0 * 100).decimalText(places: 0))% of its silences past 1s were over by then"
      } ?? "nothing is known of it yet"
    return
      "Auto stays awake for \(Duration.seconds(window).shortText): a wake costs \(Duration.seconds(wakePrice).shortText) of a replica, "
      + "\((returnChance * 100).decimalText(places: 0))% are expected back by then (\(seen))\(aheadText)"
  }
  private var aheadText: String {
    guard !ahead.isEmpty else { return "" }
    let spans = ahead.map { "\(Duration.seconds($0.from).shortText) to \(Duration.seconds($0.until).shortText)" }
    return ", and is awake again from \(spans.joined(separator: ", from "))"
  }
}

extension IdleWindowChoice {
  private enum CodingKeys: String, CodingKey {
    case window, ahead, wakePrice, returnChance, expectedCost, gaps, shareEnded
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      window: try values.decode(Double.self, forKey: .window),
      ahead: try values.decodeIfPresent([WakeAhead].self, forKey: .ahead) ?? [],
      wakePrice: try values.decode(Double.self, forKey: .wakePrice),
      returnChance: try values.decode(Double.self, forKey: .returnChance),
      expectedCost: try values.decode(Double.self, forKey: .expectedCost),
      gaps: try values.decode(Int.self, forKey: .gaps),
      shareEnded: try values.decodeIfPresent(Double.self, forKey: .shareEnded))
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(window, forKey: .window)
    if !ahead.isEmpty { try values.encode(ahead, forKey: .ahead) }
    try values.encode(wakePrice, forKey: .wakePrice)
    try values.encode(returnChance, forKey: .returnChance)
    try values.encode(expectedCost, forKey: .expectedCost)
    try values.encode(gaps, forKey: .gaps)
    try values.encodeIfPresent(shareEnded, forKey: .shareEnded)
  }
}
