/// What a saving is measured against: what somebody without autoscaling would have run for the same requests.
public enum Baseline: String, Hashable, Sendable, CaseIterable {
  /// The most replicas that requests needed at any time, all the time.
  case alwaysOnPeak = "AlwaysOnPeak"
  /// The dedicated replicas, and one at least, all the time; beyond them the replicas that requests needed, while they did.
  case floorPlusOnDemand = "FloorPlusOnDemand"
}

/// How many requests a model's replicas take at once.
public struct ReplicaSlots: Hashable, Sendable {
  public var dedicatedReplicas: Int
  public var perDedicatedReplica: Int
  public var perBurstReplica: Int
  public var maxBurstReplicas: Int

  public init(dedicatedReplicas: Int, perDedicatedReplica: Int, perBurstReplica: Int, maxBurstReplicas: Int) {
    self.dedicatedReplicas = dedicatedReplicas
    self.perDedicatedReplica = perDedicatedReplica
    self.perBurstReplica = perBurstReplica
    self.maxBurstReplicas = maxBurstReplicas
  }

  public init(_ policy: ScalingPolicy) {
    self.init(
      dedicatedReplicas: policy.dedicatedReplicas, perDedicatedReplica: policy.dedicatedMaxConcurrency,
      perBurstReplica: policy.maxConcurrency, maxBurstReplicas: policy.maxBurstReplicas)
  }

  /// The fewest replicas of both pools at which so many requests run at once, within the ceiling. A replica counts with all of
  /// its slots, not with a target below them: a baseline is never larger than it would have to be.
  public func replicas(for requests: Int) -> Int {
    let beyond = requests - dedicatedReplicas * perDedicatedReplica
    guard beyond > 0 else { return dedicatedReplicas }
    let slots = max(1, perBurstReplica)
    return dedicatedReplicas + min(maxBurstReplicas, (beyond + slots - 1) / slots)
  }
}

/// The course of the replicas that a model's requests needed, summed up: what baselines are computed from, by the simulator and by
/// the ledger. Times are in the caller's unit.
public struct BaselineDemand: Hashable, Sendable {
  /// The most replicas needed at once, over both pools.
  public var peak: Int
  /// The most dedicated replicas that the owner asked for.
  public var floor: Int
  /// Integral of the replicas needed above ``alwaysOn(floor:)``.
  public var aboveFloor: Int
  /// Integral of ``alwaysOn(floor:)`` above one.
  public var floorAboveOne: Int
  /// Integral of the dedicated replicas.
  public var dedicated: Int

  public init(peak: Int = 0, floor: Int = 0, aboveFloor: Int = 0, floorAboveOne: Int = 0, dedicated: Int = 0) {
    self.peak = peak
    self.floor = floor
    self.aboveFloor = aboveFloor
    self.floorAboveOne = floorAboveOne
    self.dedicated = dedicated
  }

  /// What stays on where nothing sleeps: the dedicated replicas, and one at least.
  public static func alwaysOn(floor: Int) -> Int { max(1, floor) }

  /// Counts so many replicas, dedicated ones among them, as needed for a time; 0: at a moment.
  public mutating func hold(_ needed: Int, floor: Int, for time: Int) {
    let always = Self.alwaysOn(floor: floor)
    merge(
      Self(
        peak: max(needed, floor), floor: floor, aboveFloor: max(0, needed - always) * time,
        floorAboveOne: (always - 1) * time, dedicated: floor * time))
  }

  public mutating func merge(_ other: Self) {
    peak = max(peak, other.peak)
    floor = max(floor, other.floor)
    aboveFloor += other.aboveFloor
    floorAboveOne += other.floorAboveOne
    dedicated += other.dedicated
  }

  /// Replica time of a baseline over a time, in which this was counted: of dedicated replicas, and of the others. A baseline has
  /// no cold starts, no drains, and never fails.
  public func replicaTime(of baseline: Baseline, over elapsed: Int) -> (dedicated: Int, burst: Int) {
    let all =
      switch baseline {
      case .alwaysOnPeak: max(1, peak) * elapsed
      case .floorPlusOnDemand: elapsed + floorAboveOne + aboveFloor
      }
    let dedicated = min(all, self.dedicated)
    return (dedicated, all - dedicated)
  }
}
