import Decisions
import InferenceAPI
import KubernetesAPI
import Simulation

/// An InferenceService as JSON, in the words of the simulation.
struct SimulatedService {
  private let path: String
  private let service: InferenceService

  init(_ path: String) throws {
    self.path = path
    let bytes = try LocalFile.read(path == "-" ? "/dev/stdin" : path)
    let json: JSONValue
    do { json = try JSONValue(parsing: bytes) } catch {
      throw ArgumentScanner.Problem(
        "--service: \(path) is not JSON: \(error); kubectl makes it of YAML: "
          + "kubectl patch --local -f FILE --type merge -p '{}' -o json")
    }
    guard json["kind"] == .string(InferenceService.resourceType.kind) else {
      throw ArgumentScanner.Problem("--service: \(path) is not an InferenceService")
    }
    do { service = try InferenceService(KubernetesObject(json)) } catch {
      throw ArgumentScanner.Problem("--service: \(path): \(error)")
    }
  }

  /// The production policy of this service.
  func contender(named name: String, _ reader: SettingsReader) throws -> Simulator.Contender {
    Simulator.Contender(
      name: "\(name) (\(service.key.name))",
      policy: simulatedPolicy,
      settings: try self.reader(over: reader).settings)
  }

  private var simulatedPolicy: SimulatedPolicy {
    guard service.spec.burst.sleepAfter == .auto else { return .pilotlight }
    return service.spec.scaling.mode == .predictive ? .pilotlightPredictive : .pilotlightAuto
  }

  /// The service's values behind the arguments that were given.
  func reader(over reader: SettingsReader) throws -> SettingsReader {
    guard let policy = policy else {
      let reasons = UnsupportedFields.reasons(in: service.spec).map(\.message).joined(separator: "; ")
      throw ArgumentScanner.Problem("--service: \(path): \(reasons)")
    }
    guard !policy.isSuspended, policy.dedicatedReplicas + policy.maxBurstReplicas > 0 else {
      throw ArgumentScanner.Problem(
        "--service: \(path) is suspended or allows no replica: nothing would ever be served")
    }
    var reader = reader
    var merged = policy
    let arguments = reader.settings.scaling
    if reader.given.contains("--max-replicas") { merged.maxBurstReplicas = arguments.maxBurstReplicas }
    if reader.given.contains("--dedicated-replicas") { merged.dedicatedReplicas = arguments.dedicatedReplicas }
    if reader.given.contains("--sleep-after") { merged.sleepAfter = arguments.sleepAfter }
    if reader.given.contains("--target") {
      merged.target = arguments.target
      merged.dedicatedTarget = arguments.target
    }
    reader.setDefault("", \.scaling, merged)
    reader.setDefault("--max-concurrency", \.maxConcurrency, service.maxConcurrency)
    reader.setDefault("--max-concurrency", \.dedicatedMaxConcurrency, service.dedicatedMaxConcurrency)
    if let objective = service.spec.scaling.objective {
      reader.setDefault(
        "--objective", \.objective,
        FirstTokenObjective(
          firstTokenMicroseconds: Int64(objective.timeToFirstToken.inSeconds * 1e6),
          percentile: Double(objective.percentile)))
    }
    if let overflow = overflow(latency: 500_000) { reader.setDefault("--overflow", \.overflow, overflow) }
    setCosts(&reader)
    return reader
  }

  /// `sleepAfter: Auto` has no duration; the window is each model's own.
  private var policy: ScalingPolicy? { service.scalingPolicy }

  /// The first endpoint that takes what waits for a replica.
  private func overflow(latency: Int64) -> OverflowEndpoint? {
    guard let target = service.spec.overflow.first(where: { $0.when.contains(.waking) || $0.when.contains(.saturated) })
    else { return nil }
    return OverflowEndpoint(
      takesWaking: target.when.contains(.waking), takesSaturated: target.when.contains(.saturated),
      firstTokenMicroseconds: latency, pricePerRequest: target.price?.perRequest?.doubleValue ?? 0,
      pricePerMillionPromptTokens: target.price?.perMillionInputTokens?.doubleValue ?? 0,
      pricePerMillionOutputTokens: target.price?.perMillionOutputTokens?.doubleValue ?? 0)
  }

  private func setCosts(_ reader: inout SettingsReader) {
    guard let economics = service.spec.economics else { return }
    reader.setDefault("", \.costs.currency, economics.currency)
    reader.setDefault("--hourly-price", \.costs.burstHourlyPrice, economics.burst.hourlyPrice?.doubleValue)
    reader.setDefault(
      "--dedicated-hourly-price", \.costs.dedicatedHourlyPrice, economics.dedicated.hourlyPrice?.doubleValue)
    reader.setDefault("--busy-watts", \.costs.busyWatts, economics.burst.powerWatts.map(Double.init))
    reader.setDefault("--idle-watts", \.costs.idleWatts, economics.burst.powerWatts.map(Double.init))
    reader.setDefault("--carbon", \.costs.carbonGramsPerKWh, economics.carbonGramsPerKWh.map(Double.init))
    // One waiting request: money per hour of it, for as long as a load takes, over the price of a replica-second.
    if let waiting = economics.waitingHourlyPrice?.doubleValue, let hourly = economics.burst.hourlyPrice?.doubleValue,
      hourly > 0
    {
      let load = reader.settings.loadTimes.mean / 1e6
      reader.setDefault("--cold-start-price", \.costs.coldStartPrice, waiting * load / hourly)
    }
  }
}
