import COpenSSL

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
  /// 32 bytes.
  public static func digest(of text: String) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var text = text
    text.withUTF8 { bytes in
      // Fails only without memory, in which nothing else goes on either.
      precondition(EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, EVP_sha256(), nil) == 1, "SHA-256 failed")
    }
    return digest
  }
}
