import CCurl
import KubernetesClient

extension CurlRequest {
  /// For messages: method and address without the query, which may hold secrets.
  var summary: String { "\(method) \(url.prefix { $0 != "?" })" }

  /// Refuses what would end up as something else on the wire.
  func validate() throws(TransportError) {
    guard isEncrypted || url.lowercased().hasPrefix("http://") else {
      throw TransportError(.invalidRequest, "\(summary): an address begins with http:// or https://")
    }
    guard !url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
      throw TransportError(.invalidRequest, "\(summary): an address has no blanks and no control characters")
    }
    guard !method.isEmpty, method.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw TransportError(.invalidRequest, "\(url): a method is one word, not \"\(method)\"")
    }
    for (name, value) in headers {
      guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }),
        !value.utf8.contains(where: { $0 == 0 || $0 == 0x0A || $0 == 0x0D })
      else { throw TransportError(.invalidRequest, "\(summary): header \(name) has a character that HTTP forbids") }
    }
  }
}

extension TransportError.Code {
  /// What a result of libcurl means here.
  init(curl code: CURLcode) {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_PROXY:
      self = .connectFailed
    case CURLE_OPERATION_TIMEDOUT: self = .timedOut
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
      CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
      self = .tls
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH: self = .wrongKey
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: self = .invalidRequest
    case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: self = .malformed
    case CURLE_WRITE_ERROR: self = .overflow
    case CURLE_OUT_OF_MEMORY: self = .exhausted
    default: self = .closed
    }
  }
}
