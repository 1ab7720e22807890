import Decisions
import FoundationEssentials
import KubernetesAPI
import Telemetry

/// What a controller knows at one moment, for whoever looks into a running one. Lists are sorted by name.
public struct ControllerSnapshot: Encodable, Hashable, Sendable {
  /// One gateway's load stream.
  struct Gateway: Encodable, Hashable, Sendable {
    /// Where the controller talks to it.
    var address: String
    var takesTraffic: Bool
    var isReadable: Bool
    /// Nil: it has said nothing yet.
    var secondsSinceSnapshot: Double?
    var busyServices: Int
  }

  struct Service: Encodable, Hashable, Sendable {
    var namespace: String
    var name: String
    /// Nil, and no load: it was not looked at of late.
    var generation: Int?
    /// Looked at each second, because its windows move.
    var isActive: Bool
    var load: Load?
    var drain: Drain
    /// Since when a wake is under way.
    var wakingForSeconds: Double?
    var failedWake: FailedWake?
    /// What `sleepAfter: Auto` chose for the silence that goes on, or for the last one.
    var idleWindow: IdleWindowChoice?
  }

  /// Over all gateways.
  struct Load: Encodable, Hashable, Sendable {
    /// Every gateway that may have requests can be read.
    var isComplete: Bool
    var held: Int
    var inFlight: Int
    var requestsPerMinute: Double
    /// Nil: there are no samples yet.
    var stableAverage: Double?
    var panicAverage: Double?
    /// Nil: replicas were never so busy that their first tokens got slow.
    var advice: Advice?
    var secondsSinceActivity: Double?
  }

  /// What a replica carries, as learned from the times to first token.
  struct Advice: Encodable, Hashable, Sendable {
    /// For `spec.scaling.target` with metric Concurrency.
    var target: Int
    /// Requests at a replica from which first tokens take longer, and at which they take half as long again.
    var bend: Double
    var concurrency: Double
    var firstTokenSecondsAlone: Double
  }

  struct Drain: Encodable, Hashable, Sendable {
    var epoch: Int
    /// UIDs.
    var pods: [String]
    /// The oldest epoch that any gateway acts on.
    var epochSeen: Int?
  }

  struct FailedWake: Encodable, Hashable, Sendable {
    var reason: String
    var message: String
    var failures: Int
    /// RFC 3339.
    var nextAttempt: String
  }

  var identity: String
  var hasSynced: Bool
  /// Nil: another controller leads.
  var leadingForSeconds: Double?
  var gateways: [Gateway]
  var services: [Service]

  /// As JSON, members sorted.
  public func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }
}

extension ControllerState.Contents {
  func snapshot(identity: String, hasSynced: Bool, now: Now) -> ControllerSnapshot {
    ControllerSnapshot(
      identity: identity, hasSynced: hasSynced,
      leadingForSeconds: isLeading ? (now.monotonic - leadingSince).inSeconds : nil,
      gateways: board.reports(now: now.monotonic),
      services: memories.keys.sorted().map { service($0, now: now) })
  }

  private func service(_ key: ObjectKey, now: Now) -> ControllerSnapshot.Service {
    let memory = memories[key]
    let known = known.peek(key)
    let load = known.map { board.load(of: key, policy: $0.intent.policy, now: now.monotonic) }
    return ControllerSnapshot.Service(
      namespace: key.namespace, name: key.name, generation: known?.generation, isActive: active.contains(key),
      load: load.map { .init($0, now: now.monotonic) },
      drain: .init(epoch: memory?.drain.epoch ?? 0, pods: memory?.drain.pods ?? [], epochSeen: load?.drainEpochSeen),
      wakingForSeconds: memory?.wake.startedAt.map { (now.monotonic - $0).inSeconds },
      failedWake: memory?.wake.failure.map(ControllerSnapshot.FailedWake.init), idleWindow: memory?.sleep.choice)
  }
}

extension ControllerSnapshot.Load {
  fileprivate init(_ view: ServiceLoadView, now: Duration) {
    self.init(
      isComplete: view.isComplete, held: view.held, inFlight: view.inFlight,
      requestsPerMinute: view.requestsPerMinute, stableAverage: view.reading.stableAverage,
      panicAverage: view.reading.panicAverage,
      advice: view.reading.advice.map(ControllerSnapshot.Advice.init),
      secondsSinceActivity: view.lastActivity.map { (now - $0).inSeconds })
  }
}

extension ControllerSnapshot.FailedWake {
  fileprivate init(_ failure: WakeFailure) {
    self.init(
      reason: failure.reason, message: failure.message, failures: failure.failures,
      nextAttempt: Timestamp.seconds(failure.nextAttempt))
  }
}

extension ControllerSnapshot.Advice {
  fileprivate init(_ advice: CapacityAdvice) {
    self.init(
      target: advice.target, bend: advice.bend, concurrency: advice.concurrency,
      firstTokenSecondsAlone: advice.aloneSeconds)
  }
}
