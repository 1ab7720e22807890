@testable import Simulation

/// Numbers that look random, the same for a seed.
struct SeededNumbers {
  private var count: UInt64 = 0
  private let seed: UInt64
  init(_ seed: Int) { self.seed = UInt64(seed) }
  mutating func next(below bound: Int) -> Int {
    count += 1
    return Int(mixed(seed, count, 7) % UInt64(max(1, bound)))
  }
}

/// Bursts of requests with pauses between them, of several models, in order of time; whole multiples of `grain`, so that
/// moments coincide often.
func burstyTrace(seed: Int, models: Int = 3, requests: Int = 400, grain: Int64 = 250_000) -> [TraceRequest] {
  var numbers = SeededNumbers(seed)
  var trace: [TraceRequest] = []
  for model in 0..<models {
    var now = Int64(numbers.next(below: 200))
    for _ in 0..<requests / models {
      let isBurst = numbers.next(below: 4) > 0
      now += Int64(numbers.next(below: isBurst ? 12 : 1200))
      trace.append(
        TraceRequest(
          timeMicroseconds: now * grain,
          durationMicroseconds: numbers.next(below: 3) == 0 ? -1 : Int64(numbers.next(below: 40)) * grain,
          model: Int32(model), promptTokens: Int32(numbers.next(below: 3000)),
          outputTokens: Int32(numbers.next(below: 500)) - 1))
    }
  }
  return trace.enumerated().sorted {
    ($0.element.timeMicroseconds, $0.offset) < ($1.element.timeMicroseconds, $1.offset)
  }.map(\.element)
}

/// Requests of one model at given seconds, each with the same service time.
func trace(at seconds: [Double], service: Double = 1) -> [TraceRequest] {
  seconds.map {
    TraceRequest(
      timeMicroseconds: Int64($0 * 1e6), durationMicroseconds: Int64(service * 1e6), model: 0)
  }
}

extension PolicyRun {
  /// The whole trace at once.
  mutating func outcome(of trace: [TraceRequest], end: Int64? = nil) -> PolicyOutcome {
    add(trace)
    return finish(at: end ?? trace.last?.timeMicroseconds ?? 0)
  }
}

/// Burst replicas without dedicated ones, and what else a test wants.
func settings(
  load: [Double] = [10], limit: Int = 4, price: Double = 30, replicas: Int = 1, timeline: Bool = false
) -> SimulationSettings {
  var settings = SimulationSettings(
    maxConcurrency: limit, loadTimes: LoadTimes(seconds: load, seed: 5), keepsTimeline: timeline)
  settings.costs.coldStartPrice = price
  settings.scaling.maxBurstReplicas = replicas
  return settings
}
