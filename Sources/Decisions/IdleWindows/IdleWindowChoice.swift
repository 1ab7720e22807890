/// How long an idle model stays awake, and why.
public struct IdleWindowChoice: Codable, Hashable, Sendable {
  /// Seconds, 60 to 86,400.
  public var window: Double
  /// What a wake costs, in replica-seconds.
  public var wakePrice: Double
  /// The chance that a silence which has lasted a minute ends within the window, from 0 to 1.
  public var returnChance: Double
  /// Of such a silence, in replica-seconds: the replica's time, and the price of a wake where one is needed.
  public var expectedCost: Double
  /// Silences of this model that were seen.
  public var gaps = 0
  /// Of those of more than a minute, the share that was over within the window; nil: there was none.
  public var shareEnded: Double?

  /// One sentence for people.
  public var explanation: String {
    let seen =
      shareEnded.map {
        "\(($0 * 100).decimalText(places: 0))% of its silences past 1m were over by then"
      } ?? "nothing is known of it yet"
    return
      "Auto stays awake for \(Duration.seconds(window).shortText): a wake costs \(Duration.seconds(wakePrice).shortText) of a replica, "
      + "\((returnChance * 100).decimalText(places: 0))% are expected back by then (\(seen))"
  }
}
