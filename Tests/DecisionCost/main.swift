// What a decision costs: the meter's reading and `decideScale`, per model and tick, for models in use.
//
// usage: measure-decisions [MODELS] [TICKS]
//
// Prints a line per kind of policy: microseconds per model and tick, for taking a gateway's counters in and for deciding.
import Decisions

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let (models, ticks) = (arguments.first ?? 1000, arguments.dropFirst().first ?? 120)

/// One model in use, with its gateway's counters.
struct Model {
  var meter = LoadMeter(span: .seconds(60))
  var state = ScalingState(startedAt: .zero, holdScaleDownUntil: .zero)
  var sample = LoadSample(tokensTotal: 0)
  var totals = ServiceTotals()
  var wanted = 0
}

func seconds(_ duration: Duration) -> Double { duration.inSeconds }

func measure(_ name: String, _ policy: ScalingPolicy, busy: Bool) {
  var random = SystemRandomNumberGenerator()
  var fleet = [Model](repeating: Model(), count: models)
  let clock = ContinuousClock()
  var (taking, deciding) = (Duration.zero, Duration.zero)
  for tick in 1...ticks {
    let now = Duration.seconds(tick)
    for index in fleet.indices {
      let load = busy ? Int.random(in: 0...60, using: &random) : 0
      fleet[index].sample.concurrencySeconds += Double(fleet[index].sample.inFlight)
      fleet[index].sample.inFlight = load
      fleet[index].sample.requestsTotal += load / 4
      fleet[index].sample.tokensTotal = (fleet[index].sample.tokensTotal ?? 0) + load * 40
      for answer in 0..<load / 4 { fleet[index].totals.add(firstToken: 0.3, occupied: 4, concurrency: answer + 1) }
      if load > 0 { fleet[index].totals.addGap(0.2) }
      fleet[index].sample.service = fleet[index].totals
    }
    let begun = clock.now
    for index in fleet.indices { fleet[index].meter.record(fleet[index].sample, from: "g", bootID: "1", at: now) }
    let taken = clock.now
    for index in fleet.indices {
      var observation = ScalingObservation(
        held: fleet[index].meter.held, inFlight: fleet[index].meter.inFlight,
        lastActivity: fleet[index].meter.lastActivity, burstWanted: fleet[index].wanted,
        burstReady: fleet[index].wanted)
      fleet[index].meter.watchBursts(for: policy.objective, now: now)
      observation.take(fleet[index].meter.read(policy, now: now))
      fleet[index].wanted = decideScale(policy, &fleet[index].state, observation, now: now).burst
    }
    taking += taken - begun
    deciding += clock.now - taken
  }
  func each(_ duration: Duration) -> String {
    (seconds(duration) * 1e6 / Double(models * ticks)).decimalText(places: 2)
  }
  print("\(name): \(each(taking)) us to take a report, \(each(deciding)) us to decide")
}

measure("concurrency", ScalingPolicy(maxBurstReplicas: 20), busy: true)
measure("tokens/s", ScalingPolicy(metric: .tokensPerSecond, target: 500, maxBurstReplicas: 20), busy: true)
let objective = LatencyObjective(timeToFirstToken: .seconds(2), percentile: 99)
measure("objective", ScalingPolicy(maxBurstReplicas: 20, objective: objective), busy: true)
measure("awake, no load", ScalingPolicy(maxBurstReplicas: 20), busy: false)
