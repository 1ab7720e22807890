import FoundationEssentials

/// The public key by which the controller knows a gateway: SHA-256 of its SubjectPublicKeyInfo (RFC 7469, 2.4).
public struct GatewayKey: Hashable, Sendable, CustomStringConvertible {
  /// As libcurl's `CURLOPT_PINNEDPUBLICKEY` takes it: `sha256//` and 32 bytes in base64.
  public let pin: String

  private static let prefix = "sha256//"

  /// - Parameter digest: 32 bytes.
  public init?(digest: [UInt8]) {
    guard digest.count == 32 else { return nil }
    pin = Self.prefix + Data(digest).base64EncodedString()
  }

  /// Nil where the text is no pin of one key: libcurl would take another for a list, or for the name of a file.
  public init?(pin: String) {
    guard pin.hasPrefix(Self.prefix), pin.utf8.count == Self.prefix.utf8.count + 44,
      let digest = Data(base64Encoded: String(pin.dropFirst(Self.prefix.count)))
    else { return nil }
    self.init(digest: [UInt8](digest))
  }

  public var description: String { pin }
}

/// How a gateway makes its key known: a Lease (`coordination.k8s.io/v1`) in Pilotlight's own namespace, where it may write
/// Leases and nothing else, and where nobody but Pilotlight may (docs/decisions/0015).
///
/// Its name is the gateway's, which is its pod's: it has no dot, and an ``ActivationLease``'s always has one.
public enum GatewayKeyLease {
  public static let label = "serving.pilotlight.dev/gateway-key"
  public static let labelValue = "true"
  /// Selects these Leases and nothing else.
  public static let labelSelector = "\(label)=\(labelValue)"
  /// Holds ``GatewayKey/pin``.
  public static let keyAnnotation = "serving.pilotlight.dev/public-key"
}
