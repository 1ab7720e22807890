import COpenSSL

/// A certificate authority made on the spot, for a server that only its own clients need to trust.
///
/// Keys are EC P-256, signatures ECDSA with SHA-256. The key lives in this object; nothing is written to disk.
/// `@unchecked Sendable`: certificate and key are never changed after `init`, and OpenSSL counts references atomically.
public final class SelfSignedAuthority: @unchecked Sendable {
  /// A certificate with its key, as PEM.
  public struct Identity: Hashable, Sendable {
    public var certificatePEM: String
    public var privateKeyPEM: String
  }

  /// The authority's own certificate: what clients are told to trust.
  public let certificatePEM: String
  private let certificate: OpaquePointer
  private let key: OpaquePointer
  private let validity: Duration

  /// - Parameters:
  ///   - commonName: the authority's subject.
  ///   - validity: how long its certificates hold, from an hour ago.
  public init(commonName: String, validity: Duration = .seconds(365 * 86_400)) throws {
    guard let key = co_new_p256_key() else { throw TLSError.refusal("P-256 key") }
    do {
      let certificate = try Self.certificate(commonName, for: key, validity: validity)
      do {
        try Self.setIssuer(certificate, certificate)
        try Self.extend(
          certificate, certificate,
          [
            (NID_basic_constraints, "critical,CA:TRUE"), (NID_key_usage, "critical,keyCertSign,cRLSign"),
            (NID_subject_key_identifier, "hash"),
          ])
        try Self.sign(certificate, with: key)
        certificatePEM = try PEM.text(certificate: certificate)
      } catch {
        X509_free(certificate)
        throw error
      }
      self.certificate = certificate
    } catch {
      EVP_PKEY_free(key)
      throw error
    }
    self.key = key
    self.validity = validity
  }

  deinit {
    X509_free(certificate)
    EVP_PKEY_free(key)
  }

  /// A server certificate with a new key, for all of `names`: DNS names and IP addresses.
  public func issueServerCertificate(commonName: String, names: [String]) throws -> Identity {
    let alternatives = try names.map { name in
      guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x2c }) else {
        throw HTTPError(.invalidConfiguration, "certificate name '\(name)': expected a DNS name or an IP address")
      }
      return ((try? SocketAddress(host: name, port: 0)) != nil ? "IP:" : "DNS:") + name
    }
    guard !alternatives.isEmpty else {
      throw HTTPError(.invalidConfiguration, "server certificate '\(commonName)': expected at least one name")
    }
    return try issue(
      commonName, organization: nil,
      [(NID_ext_key_usage, "serverAuth"), (NID_subject_alt_name, alternatives.joined(separator: ","))])
  }

  /// A client certificate with a new key; Kubernetes reads the user from `commonName`, its group from `organization`.
  public func issueClientCertificate(commonName: String, organization: String? = nil) throws -> Identity {
    try issue(commonName, organization: organization, [(NID_ext_key_usage, "clientAuth")])
  }

  private func issue(
    _ commonName: String, organization: String?, _ extensions: [(Int32, String)]
  ) throws -> Identity {
    guard let leafKey = co_new_p256_key() else { throw TLSError.refusal("P-256 key") }
    defer { EVP_PKEY_free(leafKey) }
    let leaf = try Self.certificate(commonName, organization: organization, for: leafKey, validity: validity)
    defer { X509_free(leaf) }
    try Self.setIssuer(leaf, certificate)
    try Self.extend(
      leaf, certificate,
      [
        (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
        (NID_authority_key_identifier, "keyid"),
      ] + extensions)
    try Self.sign(leaf, with: key)
    return Identity(
      certificatePEM: try PEM.text(certificate: leaf), privateKeyPEM: try PEM.text(privateKey: leafKey))
  }

  private static func certificate(
    _ commonName: String, organization: String? = nil, for key: OpaquePointer, validity: Duration
  ) throws -> OpaquePointer {
    guard let certificate = X509_new() else { throw TLSError.refusal("certificate") }
    let name = X509_get_subject_name(certificate)
    var accepted = X509_set_version(certificate, 2) == 1 && X509_set_pubkey(certificate, key) == 1
    // 63 random bits: unique, and never negative (RFC 5280, 4.1.2.2).
    let serial = UInt64.random(in: 1...UInt64(Int64.max))
    accepted = accepted && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1
    // A clock that runs an hour behind still accepts it.
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600)
    X509_gmtime_adj(X509_getm_notAfter(certificate), Int(validity.components.seconds))
    if let organization { accepted = accepted && add("O", organization, to: name) }
    accepted = accepted && add("CN", commonName, to: name)
    guard accepted else {
      X509_free(certificate)
      throw TLSError.refusal("certificate '\(commonName)'")
    }
    return certificate
  }

  private static func add(_ field: String, _ value: String, to name: OpaquePointer?) -> Bool {
    let octets = Array(value.utf8)
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, octets, Int32(octets.count), -1, 0) == 1
  }

  private static func setIssuer(_ certificate: OpaquePointer, _ issuer: OpaquePointer) throws {
    guard X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 else {
      throw TLSError.refusal("certificate issuer")
    }
  }

  private static func extend(
    _ certificate: OpaquePointer, _ issuer: OpaquePointer, _ extensions: [(Int32, String)]
  ) throws {
    for (identifier, value) in extensions where co_add_extension(certificate, issuer, identifier, value) != 1 {
      throw TLSError.refusal("certificate extension '\(value)'")
    }
  }

  private static func sign(_ certificate: OpaquePointer, with key: OpaquePointer) throws {
    guard X509_sign(certificate, key, EVP_sha256()) > 0 else { throw TLSError.refusal("certificate signature") }
  }
}
