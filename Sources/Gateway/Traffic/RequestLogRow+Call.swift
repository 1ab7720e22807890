import FleetProtocol

extension RequestLogRow {
  /// The row of a request that is over. `now` is in nanoseconds of the loop's clock.
  init(_ call: Call, now: Int64) {
    let record = call.record
    self.init(
      timeUnix: record.arrivalUnix, status: record.status, durationMilliseconds: Self.milliseconds(now - record.arrival)
    )
    if let service = call.service {
      namespace = service.route.key.namespace
      name = service.route.key.name
      modelProtocol = service.route.modelProtocol.rawValue
    }
    method = call.method.rawValue
    pool = record.pool?.rawValue
    replica = record.podUID
    reason = record.errorCode ?? record.placement.rawValue
    retries = Int(call.retries)
    queuedMilliseconds = Self.milliseconds(record.queued)
    firstByteMilliseconds = record.firstByte.map(Self.milliseconds)
    firstTokenMilliseconds = record.firstToken.map(Self.milliseconds)
    coldStart = record.isColdStart
    if let meter = call.meter {
      promptTokens = meter.tokens.prompt
      outputTokens = meter.tokens.output
      tokensEstimated = meter.isEstimate
    }
    requestBytes = call.requestBytes
    responseBytes = call.responseBytes
    if call.tenant != 0 { tenant = String(call.tenant, radix: 16) }
    traceID = call.trace?.traceID
  }

  private static func milliseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds / 1000) / 1000 }
}
