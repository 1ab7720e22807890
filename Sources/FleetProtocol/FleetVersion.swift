/// The version of what gateways and controller say to each other. Neighbours understand each other, so that a rollout may
/// pass through every mixture of two versions; fields that a reader does not know are skipped.
public enum FleetVersion {
  public static let current = 1
  /// Whether what a peer of this version says can be used.
  public static func accepts(_ version: Int) -> Bool { abs(version - current) <= 1 && version >= 0 }
}

/// Why a message of a peer cannot be used.
public enum FleetProtocolError: Error, Equatable, Sendable, CustomStringConvertible {
  case unsupportedVersion(Int)
  case malformed(String)
  case lineTooLong(limit: Int)

  public var description: String {
    switch self {
    case .unsupportedVersion(let version):
      "fleet protocol version \(version): accepted are \(FleetVersion.current - 1) to \(FleetVersion.current + 1)"
    case .malformed(let problem): "malformed fleet message: \(problem)"
    case .lineTooLong(let limit): "a fleet message is longer than \(limit) bytes"
    }
  }
}
