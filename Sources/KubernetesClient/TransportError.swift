/// Why there is no answer, or only a part of one. All of them may pass: every one is worth another try later.
public struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, for programs.
  public struct Code: Hashable, Sendable {
    let name: String
    /// The server could not be reached: name, address, port, proxy.
    public static let connectFailed = Code(name: "connectFailed")
    /// TLS failed: an unknown authority, a wrong name, a refused client certificate.
    public static let tls = Code(name: "tls")
    /// The server has another key than the one it is known by.
    public static let wrongKey = Code(name: "wrongKey")
    /// The whole exchange took longer than its timeout.
    public static let timedOut = Code(name: "timedOut")
    /// The server sent nothing for the request's idle timeout.
    public static let idle = Code(name: "idle")
    /// The connection broke before the answer was whole.
    public static let closed = Code(name: "closed")
    /// The reader of a stream was slower than its bounded buffer allows, or an answer is larger than is accepted.
    public static let overflow = Code(name: "overflow")
    /// The answer is not what the protocol allows.
    public static let malformed = Code(name: "malformed")
    /// The request cannot be made: a bad address, unreadable credentials.
    public static let invalidRequest = Code(name: "invalidRequest")
    /// Memory, descriptors or threads ran out.
    public static let exhausted = Code(name: "exhausted")
    /// The driver was shut down.
    public static let shutDown = Code(name: "shutDown")
  }

  public var code: Code
  /// What failed, with what.
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
