import COpenSSL

/// A server that its clients know by its public key alone: key and certificate are made on the spot, live in memory and end with
/// the process. No name and no date in the certificate means anything.
public struct PinnedServer: Sendable {
  /// To listen with.
  public let tls: TLSServerContext
  /// SHA-256 of the SubjectPublicKeyInfo (RFC 7469, 2.4), 32 bytes: what clients are told.
  public let publicKeyDigest: [UInt8]

  /// - Parameters:
  ///   - name: who it is, for people who look at the certificate.
  ///   - validity: of the certificate, from an hour ago; clients do not look at it.
  public init(name: String, validity: Duration = .seconds(365 * 86_400)) throws {
    // A common name has 64 characters at most (RFC 5280, upper bounds in A.1); a pod's name may be longer.
    let commonName = String(decoding: name.utf8.prefix(64), as: UTF8.self)
    let authority = try SelfSignedAuthority(commonName: commonName, validity: validity)
    let identity = try authority.issueServerCertificate(commonName: commonName, names: ["pilotlight-gateway"])
    tls = try TLSServerContext(certificatePEM: identity.certificatePEM, privateKeyPEM: identity.privateKeyPEM)
    publicKeyDigest = try Self.digest(certificatePEM: identity.certificatePEM)
  }

  private static func digest(certificatePEM: String) throws -> [UInt8] {
    let certificates = try PEM.certificates(certificatePEM)
    defer { for certificate in certificates { X509_free(certificate) } }
    var digest = [UInt8](repeating: 0, count: 32)
    guard let leaf = certificates.first, co_public_key_digest(leaf, &digest) == 1 else {
      throw TLSError.refusal("digest of a public key")
    }
    return digest
  }
}
