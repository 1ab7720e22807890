import KubernetesAPI

/// `spec.dedicated`.
public struct DedicatedSpec: Hashable, Sendable {
  /// Replicas outside every schedule.
  public let replicas: Int
  /// Most requests at once of a dedicated replica; nil: as in the burst pool.
  public let maxConcurrency: Int?
  public let schedules: [ReplicaSchedule]
  /// How its pods differ from the template; see ``PodTemplate/merged(_:_:)``.
  public let overrides: JSONValue?

  init(_ reader: FieldReader) {
    replicas = reader.integer("replicas") ?? 0
    maxConcurrency = reader.integer("maxConcurrency")
    schedules = reader.blocks("schedules").compactMap(ReplicaSchedule.init)
    overrides = reader.json["overrides"]
  }
}

/// An entry of `spec.dedicated.schedules`.
public struct ReplicaSchedule: Hashable, Sendable {
  public let name: String
  /// Days on which it starts.
  public let days: [Weekday]
  /// Minutes after midnight.
  public let startMinute: Int
  /// Minutes after midnight, up to 1440; below ``startMinute``: on the next day.
  public let endMinute: Int
  /// IANA name.
  public let timeZone: String
  public let replicas: Int

  init?(_ reader: FieldReader) {
    guard let name = reader.text("name"), let start = reader.text("start").flatMap(TextForm.minutesOfDay),
      let end = reader.text("end").flatMap(TextForm.minutesOfDay), let replicas = reader.integer("replicas")
    else { return nil }
    let days: [Weekday] = reader.words("days")
    self.name = name
    self.days = days.isEmpty ? Weekday.allCases : days
    startMinute = start
    endMinute = end
    timeZone = reader.text("timeZone") ?? "UTC"
    self.replicas = replicas
  }
}

/// `spec.burst`.
public struct BurstSpec: Hashable, Sendable {
  /// On top of the dedicated replicas; 0: no burst pool.
  public let maxReplicas: Int
  /// Kept ready beyond the demand while awake.
  public let spareReplicas: Int
  /// How long without a request before the last replica stops.
  public let sleepAfter: SleepAfter
  public let overrides: JSONValue?

  /// `spec.burst.sleepAfter`.
  public enum SleepAfter: Hashable, Sendable {
    /// The break-even of keeping a replica against waking it.
    case auto
    case after(Duration)
  }

  init(_ reader: FieldReader) {
    maxReplicas = reader.integer("maxReplicas") ?? 1
    spareReplicas = reader.integer("spareReplicas") ?? 0
    sleepAfter = reader.text("sleepAfter") == "Auto" ? .auto : .after(reader.duration("sleepAfter") ?? .seconds(600))
    overrides = reader.json["overrides"]
  }
}

/// `spec.scaling`.
public struct ScalingSpec: Hashable, Sendable {
  public let metric: ScaledMetric
  /// Per replica, in the unit of ``metric``; nil only with Concurrency.
  public let target: Int?
  /// Most requests at once of a replica.
  public let maxConcurrency: Int?
  public let stableWindow: Duration
  public let panicWindow: Duration
  public let panicThresholdPercent: Int
  public let scaleDownDelay: Duration
  public let mode: ScalingMode
  public let objective: LatencyObjective?

  init(_ reader: FieldReader) {
    metric = reader.word("metric") ?? .concurrency
    target = reader.integer("target")
    maxConcurrency = reader.integer("maxConcurrency")
    stableWindow = reader.duration("stableWindow") ?? .seconds(60)
    panicWindow = reader.duration("panicWindow") ?? .seconds(6)
    panicThresholdPercent = reader.integer("panicThresholdPercent") ?? 200
    scaleDownDelay = reader.duration("scaleDownDelay") ?? .seconds(300)
    mode = reader.word("mode") ?? .reactive
    objective = reader.optionalBlock("objective").flatMap(LatencyObjective.init)
  }
}

/// `spec.scaling.objective`.
public struct LatencyObjective: Hashable, Sendable {
  public let timeToFirstToken: Duration
  /// 50 to 99.
  public let percentile: Int

  init?(_ reader: FieldReader) {
    guard let time = reader.duration("timeToFirstToken") else { return nil }
    timeToFirstToken = time
    percentile = reader.integer("percentile") ?? 95
  }
}
