import COpenSSL

/// OpenSSL's error queue as text.
enum TLSError {
  /// The newest error of the calling thread, and empties its queue.
  static func drain() -> String {
    var text = "unknown error"
    while true {
      let code = ERR_get_error()
      guard code != 0 else { return text }
      text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        ERR_error_string_n(code, buffer.baseAddress, buffer.count)
        return buffer.baseAddress.map { String(cString: $0) } ?? text
      }
    }
  }

  static func refusal(_ what: String) -> HTTPError { HTTPError(.invalidConfiguration, "\(what): \(drain())") }
}
