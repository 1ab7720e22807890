import COpenSSL

import struct FoundationEssentials.Data
import struct FoundationEssentials.URL

/// A server's certificates and keys: TLS 1.2 and later, ALPN `http/1.1`, the certificate chosen by the name that the client
/// asks for (SNI, RFC 6066, 3).
///
/// Immutable; give a server a new one to reload. `@unchecked Sendable`: an `SSL_CTX` that is no longer configured may be
/// used from any thread (OpenSSL's own reference counts and locks guard it).
public final class TLSServerContext: @unchecked Sendable {
  /// One certificate with its key.
  public struct Identity: Hashable, Sendable {
    /// The server's certificate, followed by those between it and a root.
    public var certificatePEM: String
    /// Its key, not encrypted.
    public var privateKeyPEM: String
    /// Where they come from, for errors.
    public var origin: String

    public init(certificatePEM: String, privateKeyPEM: String, origin: String = "") {
      self.certificatePEM = certificatePEM
      self.privateKeyPEM = privateKeyPEM
      self.origin = origin
    }
  }

  /// For clients that ask for no name, or for one that no certificate holds.
  let context: OpaquePointer
  private let others: [OpaquePointer]

  /// - Parameter identities: at least one; the first is also for clients that ask for a name that none holds.
  public init(identities: [Identity]) throws {
    var contexts: [OpaquePointer] = []
    do {
      for identity in identities {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw TLSError.refusal("TLS context") }
        contexts.append(context)
        co_ctx_prepare(context)
        do { try Self.load(identity.certificatePEM, identity.privateKeyPEM, into: context) } catch {
          guard let error = error as? HTTPError, !identity.origin.isEmpty else { throw error }
          throw HTTPError(error.code, "\(identity.origin): \(error.message)")
        }
        SSL_CTX_set_alpn_select_cb(context, Self.selectProtocol, nil)
      }
      guard let first = contexts.first else { throw HTTPError(.invalidConfiguration, "no certificate is given") }
      context = first
      others = Array(contexts.dropFirst())
    } catch {
      for context in contexts { SSL_CTX_free(context) }
      throw error
    }
    guard !others.isEmpty else { return }
    // A session keeps this object, so that the pointer is good as long as a handshake may ask.
    co_ctx_on_server_name(context, Self.selectCertificate, Unmanaged.passUnretained(self).toOpaque())
  }

  /// The same with one certificate. - Parameters: as in ``Identity``.
  public convenience init(certificatePEM: String, privateKeyPEM: String) throws {
    try self.init(identities: [Identity(certificatePEM: certificatePEM, privateKeyPEM: privateKeyPEM)])
  }

  /// Changes to the certificate that holds the name asked for, wildcards as RFC 9525, 6.3 has them.
  private static let selectCertificate:
    @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?) -> Int32 = {
      session, _, argument in
      guard let session, let argument, let name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name) else {
        return SSL_TLSEXT_ERR_OK
      }
      let server = Unmanaged<TLSServerContext>.fromOpaque(argument).takeUnretainedValue()
      for context in [server.context] + server.others {
        if X509_check_host(SSL_CTX_get0_certificate(context), name, 0, 0, nil) == 1 {
          SSL_set_SSL_CTX(session, context)
          break
        }
      }
      return SSL_TLSEXT_ERR_OK
    }

  /// The same from files, for example of a mounted Secret. Errors name the file.
  public convenience init(certificateFile: String, privateKeyFile: String) throws {
    let certificate = try Self.read(certificateFile)
    let key = try Self.read(privateKeyFile)
    do {
      try self.init(certificatePEM: certificate, privateKeyPEM: key)
    } catch let error as HTTPError {
      throw HTTPError(error.code, "\(certificateFile), \(privateKeyFile): \(error.message)")
    }
  }

  deinit {
    SSL_CTX_free(context)
    for other in others { SSL_CTX_free(other) }
  }

  static func load(_ certificatePEM: String, _ privateKeyPEM: String, into context: OpaquePointer) throws {
    let certificates = try PEM.certificates(certificatePEM)
    defer { for certificate in certificates { X509_free(certificate) } }
    let key = try PEM.privateKey(privateKeyPEM)
    defer { EVP_PKEY_free(key) }
    guard SSL_CTX_use_certificate(context, certificates[0]) == 1 else { throw TLSError.refusal("certificate") }
    for certificate in certificates.dropFirst() where co_ctx_add_chain(context, certificate) != 1 {
      throw TLSError.refusal("certificate chain")
    }
    guard SSL_CTX_use_PrivateKey(context, key) == 1, SSL_CTX_check_private_key(context) == 1 else {
      throw TLSError.refusal("private key does not fit the certificate")
    }
  }

  static func read(_ file: String) throws -> String {
    do {
      return String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
    } catch {
      throw HTTPError(.invalidConfiguration, "cannot read '\(file)': \(error)")
    }
  }

  /// Picks `http/1.1` from the client's list; a client that offers only others is refused (RFC 7301, 3.2).
  private static let selectProtocol:
    @convention(c) (
      OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
      UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
    ) -> Int32 = { _, selected, selectedLength, offered, offeredLength, _ in
      guard let offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
      var index = 0
      while index < Int(offeredLength) {
        let length = Int(offered[index])
        guard index + 1 + length <= Int(offeredLength) else { break }
        let name = UnsafeBufferPointer(start: offered + index + 1, count: length)
        if name.elementsEqual("http/1.1".utf8) {
          selected?.pointee = offered + index + 1
          selectedLength?.pointee = UInt8(length)
          return SSL_TLSEXT_ERR_OK
        }
        index += 1 + length
      }
      return SSL_TLSEXT_ERR_ALERT_FATAL
    }
}

/// Whom a client trusts, and how it names itself and its server.
///
/// `@unchecked Sendable` for the same reason as `TLSServerContext`.
public final class TLSClientContext: @unchecked Sendable {
  /// What a server's certificate is checked against.
  public enum Trust: Hashable, Sendable {
    /// The system's certificate store.
    case system
    /// These certificates and no others.
    case authorities(pem: String)
    /// Any certificate: encryption without knowing with whom.
    case anyone
  }

  let context: OpaquePointer
  let serverName: String?
  let verifies: Bool

  /// - Parameters:
  ///   - serverName: the name or IP address the certificate must hold, also sent as SNI when it is a name; nil: the
  ///     address connected to.
  ///   - certificatePEM: the client's own certificate, with `privateKeyPEM`, where the server asks for one.
  public init(
    trust: Trust = .system, serverName: String? = nil, certificatePEM: String? = nil, privateKeyPEM: String? = nil
  ) throws {
    guard let context = SSL_CTX_new(TLS_client_method()) else { throw TLSError.refusal("TLS context") }
    self.context = context
    self.serverName = serverName
    verifies = trust != .anyone
    co_ctx_prepare(context)
    SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
    switch trust {
    case .anyone: break
    case .system:
      guard SSL_CTX_set_default_verify_paths(context) == 1 else { throw TLSError.refusal("system certificates") }
    case .authorities(let pem):
      for certificate in try PEM.certificates(pem) {
        defer { X509_free(certificate) }
        guard X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1 else {
          throw TLSError.refusal("authority")
        }
      }
    }
    if let certificatePEM, let privateKeyPEM { try TLSServerContext.load(certificatePEM, privateKeyPEM, into: context) }
    let protocols: [UInt8] = [8] + Array("http/1.1".utf8)
    SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count))
  }

  deinit { SSL_CTX_free(context) }
}
