/// The least replicas for an objective, and what they are expected to reach.
public struct ObjectiveNeed: Hashable, Sendable {
  public var replicas: Int
  /// Share of the requests that should have their first token in time, from 0 to 1.
  public var expectedShare: Double
  /// What cannot be exceeded: the share with no wait at all. Less than the objective's: replicas alone cannot meet it.
  public var bestShare: Double
}

/// The least number of replicas with which requests have their first token in time.
///
/// A queue with `slots` servers per replica, by ``WaitingLine``; its wait adds to the measured time at the replica. Where
/// that time alone is too long for more requests than the objective allows, its percentile is asked of the rest: replicas
/// cannot help the others.
///
/// - Parameters:
///   - arrivals: requests per second.
///   - slots: requests that a replica works on at once, at least 1.
///   - slotsBeside: slots that are there without these replicas.
///   - bounds: fewest and most replicas.
/// - Returns: nil without measurements.
public func leastReplicas(
  _ objective: LatencyObjective, arrivals: Double, _ service: ServiceObservation, slots: Int, slotsBeside: Int = 0,
  within bounds: ClosedRange<Int>
) -> ObjectiveNeed? {
  guard let occupied = service.occupied.mean, occupied > 0, let variation = service.occupied.variation,
    service.firstToken.count > 0
  else { return nil }
  let times = FirstTokenTimes(service.firstToken)
  let best = times.share(within: objective.seconds)
  guard arrivals > 0 else { return ObjectiveNeed(replicas: bounds.lowerBound, expectedShare: best, bestShare: best) }
  // Beyond so many servers, equal parts stand for the whole: a large queue is a little better than its parts.
  let parts = max(1, (arrivals * occupied / 4096).rounded(.up))
  let (rate, offered) = (arrivals / parts, arrivals * occupied / parts)
  func servers(_ replicas: Int) -> Int { Int(Double(replicas * max(1, slots) + slotsBeside) / parts) }

  let enough = (arrivals * occupied - Double(slotsBeside)) / Double(max(1, slots))
  var replicas = min(bounds.upperBound, max(bounds.lowerBound, enough < 1e9 ? Int(max(0, enough)) : .max))
  var counted = servers(replicas)
  var blocking = WaitingLine.erlangB(servers: counted, offered: offered)
  while true {
    let line = WaitingLine(
      servers: counted, arrivals: rate, service: occupied, variability: (service.arrivalVariation + variation) / 2,
      blocking: blocking)
    let share = times.share(within: objective.seconds, tail: line.share(waitingLongerThan:))
    if share >= objective.share * min(1, best) || replicas >= bounds.upperBound {
      return ObjectiveNeed(replicas: replicas, expectedShare: share, bestShare: best)
    }
    replicas += 1
    for server in (counted + 1)..<(max(counted, servers(replicas)) + 1) {
      blocking = WaitingLine.next(blocking, server: server, offered)
    }
    counted = servers(replicas)
  }
}

/// The time to first token that `percentile` percent of the requests are expected not to exceed, with so many slots in all;
/// nil without measurements, or where the queue would grow without end.
public func expectedFirstToken(
  percentile: Int, arrivals: Double, _ service: ServiceObservation, slots: Int
) -> Duration? {
  guard let occupied = service.occupied.mean, occupied > 0, let variation = service.occupied.variation,
    service.firstToken.count > 0, arrivals * occupied < Double(slots)
  else { return nil }
  let times = FirstTokenTimes(service.firstToken)
  let line = WaitingLine(
    servers: slots, arrivals: arrivals, service: occupied, variability: (service.arrivalVariation + variation) / 2,
    blocking: WaitingLine.erlangB(servers: slots, offered: arrivals * occupied))
  var (low, high) = (0.0, 86_400.0)
  for _ in 0..<40 {
    let middle = (low + high) / 2
    let share = times.share(within: middle, tail: line.share(waitingLongerThan:))
    if share >= Double(percentile) / 100 { high = middle } else { low = middle }
  }
  return high < 86_400 ? .milliseconds(Int64((high * 1000).rounded())) : nil
}
