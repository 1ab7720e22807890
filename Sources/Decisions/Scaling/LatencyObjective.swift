/// How soon most requests should have the first token of their answer (`spec.scaling.objective`).
public struct LatencyObjective: Hashable, Sendable {
  /// From arrival at the gateway to the first token.
  public var timeToFirstToken: Duration
  /// Share of the requests for which it must hold, in percent.
  public var percentile: Int

  public init(timeToFirstToken: Duration, percentile: Int = 95) {
    self.timeToFirstToken = timeToFirstToken
    self.percentile = percentile
  }

  var seconds: Double { timeToFirstToken.inSeconds }
  /// From 0 to 1.
  var share: Double { Double(percentile) / 100 }
}

/// What was measured of a model's requests and answers, for its objective. Sums are empty until enough answers were measured.
public struct ServiceObservation: Codable, Hashable, Sendable {
  /// Times at a replica until the first token, in seconds.
  public var firstToken: SampleSums
  /// Times that a request occupied its slot of a replica, in seconds.
  public var occupied: SampleSums
  /// Squared coefficient of variation of the times between arrivals: 1 for Poisson's, more for bursts.
  public var arrivalVariation: Double
  /// Requests per second, over the stable and the panic window.
  public var stableArrivals: Double
  public var panicArrivals: Double
  /// Slots with which the arrivals of the recent past would have met the objective; nil: too few were seen.
  public var burstSlots: Double?
  /// Share of the recent requests that did not wait too long for a slot; nil: too few were seen.
  public var inTimeShare: Double?
  /// Share of the requests that `burstSlots` lets wait too long: the objective's, less what was spent, or more if there is much left.
  public var allowedLateShare: Double?

  public init(
    firstToken: SampleSums, occupied: SampleSums, arrivalVariation: Double = 1, stableArrivals: Double = 0,
    panicArrivals: Double = 0, burstSlots: Double? = nil, inTimeShare: Double? = nil, allowedLateShare: Double? = nil
  ) {
    self.firstToken = firstToken
    self.occupied = occupied
    self.arrivalVariation = arrivalVariation
    self.stableArrivals = stableArrivals
    self.panicArrivals = panicArrivals
    self.burstSlots = burstSlots
    self.inTimeShare = inTimeShare
    self.allowedLateShare = allowedLateShare
  }
}
