import EventLoop
import FoundationEssentials
import Synchronization

/// How connections to a replica are encrypted.
public struct UpstreamTLS: Hashable, Sendable {
  /// What a replica's certificate is checked against: a file of PEM certificates; nil: the system's store.
  public var caFile: String?
  /// The name that the certificate must hold, also sent as SNI; nil: the replica's address.
  public var serverName: String?
  /// False: any certificate will do, so that nobody knows who answers.
  public var verifies: Bool

  public init(caFile: String? = nil, serverName: String? = nil, verifies: Bool = true) {
    self.caFile = caFile
    self.serverName = serverName
    self.verifies = verifies
  }
}

/// The TLS settings that replicas ask for, each made once.
final class UpstreamTLSContexts: Sendable {
  private let contexts = Mutex<[UpstreamTLS: TLSClientContext]>([:])

  /// Nil: the replica speaks plain HTTP. - Throws: ``HTTPError`` when the authorities cannot be read.
  func context(for tls: UpstreamTLS?) throws -> TLSClientContext? {
    guard let tls else { return nil }
    return try contexts.withLock { known in
      if let context = known[tls] { return context }
      let context = try TLSClientContext(trust: Self.trust(tls), serverName: tls.serverName)
      known[tls] = context
      return context
    }
  }

  private static func trust(_ tls: UpstreamTLS) throws -> TLSClientContext.Trust {
    guard tls.verifies else { return .anyone }
    guard let file = tls.caFile else { return .system }
    return .authorities(pem: try TLSCertificatePair.read(file))
  }
}
