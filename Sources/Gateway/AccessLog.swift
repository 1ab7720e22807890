import FleetProtocol
import Telemetry

/// Where the rows of sampled requests go. Called from event loops: it must not wait for whoever reads the log.
public protocol AccessLog: Sendable {
  func write(_ row: RequestLogRow)
}

/// Keeps no access log.
public struct NoAccessLog: AccessLog {
  public init() {}
  public func write(_ row: RequestLogRow) {}
}

extension RequestLogRow {
  /// Appends the row as a line of the log in JSON: what every line begins with, then the row's own fields. Its time is when
  /// the request was over.
  public func appendAccessLogLine(to output: inout [UInt8]) {
    output.append(contentsOf: "{\"time\":\"".utf8)
    UTCTimestamp.append(timeUnix + durationMilliseconds / 1000, to: &output)
    output.append(contentsOf: "\",\"level\":\"info\",\"message\":\"request\",".utf8)
    appendMembers(to: &output)
    output.append(contentsOf: "}\n".utf8)
  }

  /// What a person wants to see of the row, for a log that is no JSON.
  public var accessLogRecord: LogRecord {
    var fields: [LogRecord.Field] = [
      .init("service", .string(name.isEmpty ? "" : "\(namespace)/\(name)")), .init("status", .integer(status)),
      .init("pool", .string(pool ?? "")), .init("reason", .string(reason ?? "")),
      .init("queuedMilliseconds", .double(queuedMilliseconds)),
      .init("durationMilliseconds", .double(durationMilliseconds)),
    ]
    if let outputTokens { fields.append(.init("outputTokens", .integer(outputTokens))) }
    fields.append(.init("weight", .integer(weight)))
    return LogRecord(level: .info, message: "request", fields: fields)
  }
}
