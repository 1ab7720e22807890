import COpenSSL

/// PEM text to OpenSSL's objects and back. What is returned is owned by the caller.
enum PEM {
  /// All certificates of the text, in order. Free each with `X509_free`.
  static func certificates(_ text: String) throws -> [OpaquePointer] {
    try withBIO(text) { bio in
      var found: [OpaquePointer] = []
      while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) { found.append(certificate) }
      let end = ERR_peek_last_error()
      ERR_clear_error()
      // The read that finds no more PEM reports that as an error of its own.
      guard !found.isEmpty, ERR_GET_REASON(end) == PEM_R_NO_START_LINE else {
        for certificate in found { X509_free(certificate) }
        throw HTTPError(.invalidConfiguration, "certificate: no valid PEM certificate found")
      }
      return found
    }
  }

  /// The first private key of the text, which must not be encrypted. Free with `EVP_PKEY_free`.
  static func privateKey(_ text: String) throws -> OpaquePointer {
    try withBIO(text) { bio in
      // A callback that gives no password keeps OpenSSL from asking on the terminal.
      guard let key = PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in 0 }, nil) else {
        throw TLSError.refusal("private key: no valid, unencrypted PEM key found")
      }
      return key
    }
  }

  static func text(certificate: OpaquePointer) throws -> String {
    try write { PEM_write_bio_X509($0, certificate) == 1 }
  }

  static func text(privateKey: OpaquePointer) throws -> String {
    try write { PEM_write_bio_PrivateKey($0, privateKey, nil, nil, 0, nil, nil) == 1 }
  }

  private static func withBIO<Result>(_ text: String, _ body: (OpaquePointer) throws -> Result) throws -> Result {
    var text = text
    return try text.withUTF8 { bytes in
      guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else {
        throw TLSError.refusal("PEM")
      }
      defer { BIO_free(bio) }
      return try body(bio)
    }
  }

  private static func write(_ body: (OpaquePointer) -> Bool) throws -> String {
    guard let bio = BIO_new(BIO_s_mem()) else { throw TLSError.refusal("PEM") }
    defer { BIO_free(bio) }
    guard body(bio) else { throw TLSError.refusal("PEM") }
    var bytes: UnsafePointer<CChar>?
    let count = co_bio_bytes(bio, &bytes)
    return String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
  }
}
