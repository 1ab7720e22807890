/// What is known about one model at one moment.
public struct ScalingObservation: Hashable, Sendable {
  /// Requests waiting at gateways.
  public var held: Int
  /// Requests at replicas.
  public var inFlight: Int
  /// Average of the policy's metric over its stable window; nil: no gateway was ever read.
  public var stableAverage: Double?
  /// The same over the panic window.
  public var panicAverage: Double?
  /// When a request was last seen, on the caller's monotonic clock; nil: never.
  public var lastActivity: Duration?
  /// Every gateway there is can be read at this moment.
  public var isComplete: Bool
  /// A durable wish to wake is recorded (an activation Lease).
  public var isActivated: Bool
  /// Dedicated replicas to count on: ready, or starting without trouble.
  public var dedicatedReplicas: Int
  public var dedicatedReady: Int
  /// Burst replicas asked for at present.
  public var burstWanted: Int
  public var burstReady: Int
  /// No wake before this moment: earlier ones failed.
  public var wakeNotBefore: Duration?
  /// What an objective is decided on; nil: none is set.
  public var service: ServiceObservation?
  /// By the model's past silences, a request is expected about now (`mode: Predictive`).
  public var isExpected = false
  /// Load per replica that is advised, from what was measured; nil: nothing is known.
  public var advisedTarget: Int?

  public init(
    held: Int = 0, inFlight: Int = 0, stableAverage: Double? = nil, panicAverage: Double? = nil,
    lastActivity: Duration? = nil, isComplete: Bool = true, isActivated: Bool = false, dedicatedReplicas: Int = 0,
    dedicatedReady: Int = 0, burstWanted: Int = 0, burstReady: Int = 0, wakeNotBefore: Duration? = nil,
    service: ServiceObservation? = nil, advisedTarget: Int? = nil
  ) {
    self.held = held
    self.inFlight = inFlight
    self.stableAverage = stableAverage
    self.panicAverage = panicAverage
    self.lastActivity = lastActivity
    self.isComplete = isComplete
    self.isActivated = isActivated
    self.dedicatedReplicas = dedicatedReplicas
    self.dedicatedReady = dedicatedReady
    self.burstWanted = burstWanted
    self.burstReady = burstReady
    self.wakeNotBefore = wakeNotBefore
    self.service = service
    self.advisedTarget = advisedTarget
  }

  /// Takes over what a meter has measured.
  public mutating func take(_ reading: LoadReading) {
    stableAverage = reading.stableAverage
    panicAverage = reading.panicAverage
    service = reading.service
    advisedTarget = reading.advice?.target
  }
}
