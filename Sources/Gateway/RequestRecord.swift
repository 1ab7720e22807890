import EventLoop
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

  /// When the request's head was read: nanoseconds of the loop's clock, and seconds since 1970.
  let arrival: Int64
  let arrivalUnix: Double
  var pool: Pool?
  var placement = Placement.ready
  var isColdStart = false
  /// Until it was placed, in nanoseconds; 0 when that was at once.
  var queued: Int64 = 0
  /// Until the first byte of the answer, in nanoseconds; nil: none came.
  var firstByte: Int64?
  /// Until the end of the first event of an event stream, in nanoseconds; nil: there was none.
  var firstToken: Int64?
  /// The pod that it went to last.
  var podUID: String?
  /// Sent to the caller; 0: the caller left first.
  var status = 0
  /// Code of the gateway's own error.
  var errorCode: String?

  init(arrival: Int64, arrivalUnix: Double) {
    self.arrival = arrival
    self.arrivalUnix = arrivalUnix
  }

  /// The fields that every answer about a service carries.
  var fields: [(String, String)] {
    var fields = [
      ("pilotlight-reason", errorCode ?? placement.rawValue),
      ("pilotlight-queued-ms", String((queued + 500_000) / 1_000_000)),
      ("pilotlight-cold-start", isColdStart ? "true" : "false"),
    ]
    if let pool { fields.insert(("pilotlight-pool", pool.rawValue), at: 0) }
    return fields
  }

  /// Appends the fields that every answer about a service carries.
  func appendFields(to output: inout [UInt8]) {
    switch pool {
    case .dedicated?: output.append("pilotlight-pool: dedicated\r\n")
    case .burst?: output.append("pilotlight-pool: burst\r\n")
    case .canary?: output.append("pilotlight-pool: canary\r\n")
    case nil: break
    }
    if errorCode == nil, placement == .ready, queued == 0, !isColdStart {
      output.append("pilotlight-reason: ready\r\npilotlight-queued-ms: 0\r\npilotlight-cold-start: false\r\n")
      return
    }
    output.append("pilotlight-reason: ")
    output.append(contentsOf: (errorCode ?? placement.rawValue).utf8)
    output.append("\r\npilotlight-queued-ms: ")
    output.append(decimal: Int((queued + 500_000) / 1_000_000))
    output.append(
      isColdStart ? "\r\npilotlight-cold-start: true\r\n" : "\r\npilotlight-cold-start: false\r\n")
  }
}
