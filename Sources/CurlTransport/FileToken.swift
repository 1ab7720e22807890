import KubernetesClient
import Synchronization

/// A token in a file that somebody else renews, as kubelet does with projected service account tokens. Read again when the file
/// changed, and at least each minute.
public final class FileToken: CredentialSource {
  private struct Reading {
    var token: String
    var identity: LocalFile.Identity?
    var at: Duration
  }

  private static let maximumAge: Duration = .seconds(60)

  public let path: String
  private let last = Mutex<Reading?>(nil)

  public init(path: String) { self.path = path }

  public func credential() throws -> Credential { Credential(token: try token()) }

  /// The token alone.
  public func token() throws -> String {
    let now = MonotonicClock.now
    let identity = LocalFile.identity(path)
    return try last.withLock { last in
      if let last, last.identity == identity, now - last.at < Self.maximumAge { return last.token }
      do {
        let reading = Reading(token: try read(), identity: identity, at: now)
        last = reading
        return reading.token
      } catch {
        // While the file is being replaced, the token of before is better than none.
        if let last { return last.token }
        throw error
      }
    }
  }

  public func invalidate(_ refused: Credential) {
    last.withLock { if $0?.token == refused.token { $0?.at = .seconds(-1_000_000_000) } }
  }

  private func read() throws -> String {
    let bytes: [UInt8]
    do {
      bytes = try LocalFile.read(path)
    } catch {
      throw TransportError(.invalidRequest, "token: \(error)")
    }
    guard let text = String(validating: bytes, as: UTF8.self),
      let token = text.split(whereSeparator: \.isWhitespace).first
    else { throw TransportError(.invalidRequest, "token: \(path) holds no token") }
    return String(token)
  }
}
