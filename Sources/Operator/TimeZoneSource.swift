import TimeZones

/// Where the controller finds time zones: the executable reads the files of its host, tests bring their own.
public protocol TimeZoneSource: Sendable {
  /// The zone of an IANA name such as `Europe/Berlin`. `UTC` is never asked for: it needs no file.
  func zone(named name: String) throws(UnknownTimeZone) -> Zone
}

/// Why a time zone cannot be had.
public struct UnknownTimeZone: Error, Hashable, Sendable, CustomStringConvertible {
  public var name: String
  /// What is wrong, or what was meant.
  public var explanation: String

  public init(name: String, explanation: String) {
    self.name = name
    self.explanation = explanation
  }

  public var description: String { "\"\(name)\" is not a time zone known here: \(explanation)" }
}

/// Knows no zone but UTC.
public struct NoTimeZones: TimeZoneSource {
  public init() {}

  public func zone(named name: String) throws(UnknownTimeZone) -> Zone {
    throw UnknownTimeZone(name: name, explanation: "only UTC is")
  }
}
