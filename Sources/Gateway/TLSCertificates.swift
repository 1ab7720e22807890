import EventLoop
import FoundationEssentials
import Telemetry

/// Files of a certificate and its key, as a mounted Secret has them.
public struct TLSCertificatePair: Hashable, Sendable {
  public var certificateFile: String
  public var keyFile: String

  public init(certificateFile: String, keyFile: String) {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
  }

  /// The files of a mounted Secret of type `kubernetes.io/tls`.
  public init(folder: String) { self.init(certificateFile: "\(folder)/tls.crt", keyFile: "\(folder)/tls.key") }

  static func read(_ file: String) throws -> String {
    do { return String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self) } catch {
      throw HTTPError(.invalidConfiguration, "cannot read '\(file)': \(error)")
    }
  }
}

/// Follows certificate files: what they hold now, and whether that has changed. Compares contents, as the kubelet swaps
/// links and leaves names and times as they please. A value but for the files themselves.
struct TLSCertificates {
  enum Change {
    case none
    case context(TLSServerContext)
    /// What the files hold now cannot be used; told once for each such content.
    case unusable(String)
  }

  private let pairs: [TLSCertificatePair]
  private var used: [TLSServerContext.Identity] = []
  private var refused: String?

  init(pairs: [TLSCertificatePair]) { self.pairs = pairs }

  /// Reads the files.
  mutating func look() -> Change {
    do {
      let read = try pairs.map { pair in
        TLSServerContext.Identity(
          certificatePEM: try TLSCertificatePair.read(pair.certificateFile),
          privateKeyPEM: try TLSCertificatePair.read(pair.keyFile),
          origin: "\(pair.certificateFile), \(pair.keyFile)")
      }
      guard read != used else { return .none }
      let context = try TLSServerContext(identities: read)
      used = read
      refused = nil
      return .context(context)
    } catch {
      let problem = "\(error)"
      guard problem != refused else { return .none }
      refused = problem
      return .unusable(problem)
    }
  }
}
