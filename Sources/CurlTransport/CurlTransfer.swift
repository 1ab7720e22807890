import CCurl
import KubernetesClient

/// One exchange under way. Lives on the driver's thread.
final class CurlTransfer {
  let id: Int
  let request: CurlRequest
  let channel: ResponseChannel
  let easy: UnsafeMutableRawPointer
  /// Monotonic time of the start or the last byte from the server.
  var lastHeard: Duration
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let errorText: UnsafeMutablePointer<CChar>
  private var head: CurlResponseHead?
  private var isHeadDelivered = false
  private var headBytes = 0

  private static let errorTextSize = Int(CURL_ERROR_SIZE)
  /// Bytes of all response header lines that are accepted.
  private static let headLimit = 256 << 10

  init(id: Int, request: CurlRequest, channel: ResponseChannel, easy: UnsafeMutableRawPointer, now: Duration) {
    self.id = id
    self.request = request
    self.channel = channel
    self.easy = easy
    lastHeard = now
    errorText = .allocate(capacity: Self.errorTextSize)
    errorText.initialize(repeating: 0, count: Self.errorTextSize)
  }

  deinit {
    curl_slist_free_all(headerList)
    errorText.deallocate()
  }

  var summary: String { request.summary }

  /// Puts the request into the easy handle.
  /// - Throws: ``TransportError`` for what cannot be sent.
  func configure() throws(TransportError) {
    try request.validate()
    set(CURLOPT_URL, request.url)
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
    // On cleartext HTTP/1.1, PIPEWAIT would park every later transfer behind the first endless one; with TLS the handshake
    // (ALPN) tells whether connections can be shared.
    set(CURLOPT_PIPEWAIT, request.isEncrypted ? 1 : 0)
    set(CURLOPT_CONNECTTIMEOUT_MS, Int(request.connectTimeout.milliseconds))
    if let timeout = try request.remainingTime(now: MonotonicClock.now) {
      set(CURLOPT_TIMEOUT_MS, max(1, Int(timeout.milliseconds)))
    }
    set(CURLOPT_TCP_KEEPALIVE, 1)
    set(CURLOPT_TCP_KEEPIDLE, 20)
    set(CURLOPT_TCP_KEEPINTVL, 10)
    _ = ccurl_set_bounded_silence(easy)
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    if let proxy = request.proxy {
      set(CURLOPT_PROXY, proxy)
    } else if request.isLoopback {
      set(CURLOPT_PROXY, "")
    }
    configureBody()
    configureHeaders()
    try configureTLS()
    configureCallbacks()
  }

  private func configureBody() {
    if request.method == "HEAD" {
      set(CURLOPT_NOBODY, 1)
    } else if !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method) {
      _ = ccurl_set_body(easy, request.body, request.body.count)
      set(CURLOPT_CUSTOMREQUEST, request.method)
    } else if request.method != "GET" {
      set(CURLOPT_CUSTOMREQUEST, request.method)
    }
  }

  private func configureHeaders() {
    // libcurl adds these on its own: the first costs a round trip, the second is a lie.
    var lines = ["Expect:"]
    if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) { lines.append("Content-Type:") }
    // "Name;" is libcurl's way to send a header without a value.
    lines += request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
    for line in lines { headerList = curl_slist_append(headerList, line) }
    _ = ccurl_set_list(easy, CURLOPT_HTTPHEADER, headerList)
  }

  private func configureTLS() throws(TransportError) {
    guard request.isEncrypted else { return }
    let tls = request.tls
    let looksAtCertificate = tls.verifiesServer && tls.pinnedPublicKey == nil
    set(CURLOPT_SSL_VERIFYPEER, looksAtCertificate ? 1 : 0)
    set(CURLOPT_SSL_VERIFYHOST, looksAtCertificate ? 2 : 0)
    if let key = tls.pinnedPublicKey {
      // A key that libcurl did not take must not become no key at all.
      guard ccurl_set_string(easy, CURLOPT_PINNEDPUBLICKEY, key) == CURLE_OK else {
        throw TransportError(.invalidRequest, "\(summary): libcurl does not take the server's key '\(key)'")
      }
      // Each connection shows the key anew.
      set(CURLOPT_SSL_SESSIONID_CACHE, 0)
    }
    set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    if let authorities = tls.authorities { set(CURLOPT_CAINFO_BLOB, authorities) }
    if let certificate = tls.clientCertificate { set(CURLOPT_SSLCERT_BLOB, certificate) }
    if let key = tls.clientKey { set(CURLOPT_SSLKEY_BLOB, key) }
  }

  private func configureCallbacks() {
    let me = Unmanaged.passUnretained(self).toOpaque()
    _ = ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
    _ = ccurl_set_pointer(easy, CURLOPT_PRIVATE, me)
    _ = ccurl_set_pointer(easy, CURLOPT_HEADERDATA, me)
    _ = ccurl_set_data_function(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      guard let bytes, let context else { return 0 }
      let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
      let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
      return transfer.receiveHeader(line) ? size * count : 0
    }
    _ = ccurl_set_pointer(easy, CURLOPT_WRITEDATA, me)
    _ = ccurl_set_data_function(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      guard let bytes, let context else { return 0 }
      let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
      transfer.lastHeard = MonotonicClock.now
      let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
      return transfer.channel.receive(piece) ? size * count : 0
    }
  }

  /// One line of the head, or of the trailers, which are ignored.
  private func receiveHeader(_ bytes: UnsafeRawBufferPointer) -> Bool {
    lastHeard = MonotonicClock.now
    headBytes += bytes.count
    guard headBytes <= Self.headLimit else { return false }
    guard !isHeadDelivered else { return true }
    var line = bytes[...]
    while let last = line.last, last == 0x0A || last == 0x0D { line.removeLast() }
    if line.isEmpty {
      deliverHead()
    } else if head == nil || line.starts(with: Array("HTTP/".utf8)) {
      let status = line.split(separator: 0x20, maxSplits: 2).dropFirst().first
      head = CurlResponseHead(status: status.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0)
    } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
      head?.headers.append((text(line[..<colon]), text(line[(colon + 1)...])))
    }
    return true
  }

  private func deliverHead() {
    guard let head else { return }
    self.head = nil
    // 1xx: the real answer is still to come.
    if head.status < 200 { return }
    isHeadDelivered = true
    channel.receive(head)
  }

  private func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
    var bytes = bytes
    while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The transfer is over, as libcurl sees it.
  func finish(_ code: CURLcode) {
    if code == CURLE_OK {
      channel.finish(.success(()))
    } else {
      let detail = String(cString: errorText)
      let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
      channel.finish(.failure(TransportError(.init(curl: code), "\(summary): \(text)")))
    }
  }

  private func set(_ option: CURLoption, _ value: Int) { _ = ccurl_set_long(easy, option, value) }
  private func set(_ option: CURLoption, _ value: String) { _ = ccurl_set_string(easy, option, value) }
  private func set(_ option: CURLoption, _ value: [UInt8]) {
    value.withUnsafeBytes { _ = ccurl_set_blob(easy, option, $0.baseAddress, $0.count) }
  }
}
