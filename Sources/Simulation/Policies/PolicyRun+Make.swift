import Decisions

/// The run of each policy under given settings.
extension SimulatedPolicy {
  /// - Parameters:
  ///   - name: what the report calls it.
  ///   - bestWindow: what a ``BestFixedSearch`` found, in microseconds; for `bestFixed` only.
  func run(_ name: String, _ settings: SimulationSettings, bestWindow: Int64?) -> any PolicyRun {
    switch self {
    case .pilotlight: return ScaledRun(name, PilotlightPolicy(settings.productionPolicy), settings)
    case .pilotlightAuto: return windowRun(name, Self.automaticWindow(settings), settings)
    case .pilotlightPredictive: return windowRun(name, Self.automaticWindow(settings, wakesAhead: true), settings)
    case .alwaysOn: return baseline(name, .alwaysOnPeak, settings)
    case .floorOnDemand: return baseline(name, .floorPlusOnDemand, settings)
    case .fixed(let window):
      return windowRun(name, FixedWindow(window: window ?? settings.scaling.sleepAfter.wholeMicroseconds), settings)
    case .knative:
      let policy = KnativePolicy(
        maxConcurrency: settings.maxConcurrency, maxReplicas: settings.scaling.maxBurstReplicas)
      return ScaledRun(name, policy, settings)
    case .keda:
      let policy = KedaPolicy(
        target: settings.scaling.target, maxReplicas: settings.scaling.maxBurstReplicas, seed: settings.loadTimes.seed)
      return ScaledRun(name, policy, settings)
    case .hybridHistogram: return windowRun(name, HybridHistogram(), settings)
    case .bestFixed:
      let window = bestWindow ?? settings.scaling.sleepAfter.wholeMicroseconds
      return LoneReplicaRun(
        name, FixedWindow(window: window), settings, note: "window \(Duration.microseconds(window).shortText)")
    case .optimum: return ClairvoyantRun(name, settings)
    }
  }

  /// The windows of `sleepAfter: Auto`.
  static func automaticWindow(
    _ settings: SimulationSettings, wakesAhead: Bool = false
  ) -> some IdleWindowPolicy {
    LearnedWindow(
      loadTime: Int64(settings.loadTimes.mean), coldStartPrice: Int64((settings.costs.coldStartPrice * 1e6).rounded()),
      wakesAhead: wakesAhead)
  }

  /// With one replica per model, windows are all there is to decide; with more, the production decision scales, and ends the
  /// last replica after the window.
  private func windowRun(
    _ name: String, _ window: some IdleWindowPolicy, _ settings: SimulationSettings
  ) -> any PolicyRun {
    settings.isOneReplica
      ? LoneReplicaRun(name, window, settings)
      : ScaledRun(name, PilotlightPolicy(settings.productionPolicy, windows: window), settings)
  }

  /// With one replica per model, all baselines are that one.
  private func baseline(_ name: String, _ baseline: Baseline, _ settings: SimulationSettings) -> any PolicyRun {
    if settings.isOneReplica { return LoneReplicaRun(name, AlwaysOn(), settings) }
    var settings = settings
    settings.overflow = nil
    return ScaledRun(
      name, BaselinePolicy(slots: ReplicaSlots(settings.productionPolicy), baseline: baseline), settings)
  }
}

extension SimulationSettings {
  /// What the production decision is given: the slots and the objective hold for the whole simulation.
  var productionPolicy: ScalingPolicy {
    var policy = scaling
    policy.maxConcurrency = maxConcurrency
    policy.dedicatedMaxConcurrency = dedicatedMaxConcurrency
    policy.objective = objective.map {
      LatencyObjective(
        timeToFirstToken: .microseconds($0.firstTokenMicroseconds), percentile: Int($0.percentile.rounded()))
    }
    return policy
  }
}
