import Glibc
import HTTPWire

/// Why a connection, a request or a response could not go on.
public struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    /// The peer closed or reset the connection.
    public static let disconnected = Code(description: "disconnected")
    /// A deadline passed.
    public static let timedOut = Code(description: "timed out")
    /// The peer's bytes are not HTTP, or are ambiguous.
    public static let malformed = Code(description: "malformed")
    /// A body is larger than its reader allows.
    public static let bodyTooLarge = Code(description: "body too large")
    /// No connection could be made.
    public static let connectFailed = Code(description: "connect failed")
    /// The TLS handshake failed, or a certificate was refused.
    public static let tlsFailed = Code(description: "TLS failed")
    /// An address, certificate or key cannot be used.
    public static let invalidConfiguration = Code(description: "invalid configuration")
    /// Calls came in an order that has no meaning, for example a body longer than announced.
    public static let misused = Code(description: "misused")
    /// A system call failed.
    public static let system = Code(description: "system call failed")
  }

  public var code: Code
  /// What was attempted, with what, and what went wrong.
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  init(_ error: WireError) { self.init(.malformed, error.reason) }

  static func system(_ call: String, _ code: Int32) -> HTTPError {
    HTTPError(.system, "\(call): \(describe(code))")
  }

  static let disconnected = HTTPError(.disconnected, "the peer closed the connection")

  static func describe(_ code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
  }

  public var description: String { "\(code): \(message)" }
}
