import Telemetry

/// What became of one request: what metrics and the access log are made of.
struct RequestRecord: Sendable {
  /// How a request came to its replica, as `pilotlight-reason` says it.
  enum Placement: String, Sendable {
    /// A slot was free.
    case ready
    /// It waited for a slot.
    case queued
    /// It waited for the model to wake.
    case woke
    /// Another replica failed it first.
    case retried
  }

  /// When the request's head was read.
  let arrival: Now
  private(set) var gate: ServiceGate?
  private(set) var modelProtocol: ModelProtocol?
  var pool: Pool?
  var placement = Placement.ready
  /// Until the first byte was sent upstream; zero when it was placed at once.
  var queued: Duration = .zero
  var isColdStart = false
  var firstByte: Duration?
  /// Sent to the caller; 0: the caller left first.
  var status = 0
  /// Code of the gateway's own error.
  var errorCode: String?

  init(arrival: Now) { self.arrival = arrival }

  /// The request is this service's.
  mutating func concern(_ gate: ServiceGate, _ service: ServiceRoute) {
    self.gate = gate
    modelProtocol = service.modelProtocol
  }

  /// The fields that every answer about a service carries.
  var headers: [(String, String)] {
    var headers = [
      ("pilotlight-reason", errorCode ?? placement.rawValue),
      ("pilotlight-queued-ms", queued == .zero ? "0" : String(Int(queued.milliseconds.rounded()))),
      ("pilotlight-cold-start", isColdStart ? "true" : "false"),
    ]
    if let pool { headers.insert(("pilotlight-pool", pool.rawValue), at: 0) }
    return headers
  }

  /// Counts the request when it is over, and logs it if it is one of the sample or went wrong on this side.
  func finish(at now: Duration, core: GatewayCore) {
    if let gate {
      gate.metrics.answered(pool: pool, status: status)
      if let errorCode { gate.metrics.rejected(code: errorCode) }
      if let firstByte { gate.metrics.gotFirstByte(after: firstByte) }
    } else if let errorCode {
      core.metrics.rejections.increment("", "", errorCode)
    }
    let isSampled = core.takesSample()
    guard isSampled || status >= 500, core.configuration.accessLogSampling > 0 else { return }
    core.log.info(
      "request",
      [
        "service": gate?.key.description ?? "", "pool": pool?.rawValue ?? "", "status": status,
        "reason": errorCode ?? placement.rawValue, "queuedSeconds": queued.seconds,
        "firstByteSeconds": firstByte?.seconds ?? 0, "durationSeconds": (now - arrival.monotonic).seconds,
        "coldStart": isColdStart, "weight": isSampled ? core.configuration.accessLogSampling : 1,
      ])
  }
}
