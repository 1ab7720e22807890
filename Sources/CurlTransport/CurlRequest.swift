import KubernetesClient

/// Any HTTP request, as ``CurlDriver`` sends it.
public struct CurlRequest: Sendable {
  public var method: String
  /// `http` or `https`, percent-encoded.
  public var url: String
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]
  public var tls: CurlTLS
  /// `http://proxy:3128`; nil: what the environment says (`https_proxy`, `no_proxy` …), but never for loopback addresses.
  public var proxy: String?
  /// For name resolution, TCP and TLS together.
  public var connectTimeout: Duration
  /// For the whole exchange; nil: none.
  public var timeout: Duration?
  /// How long the server may send nothing; nil: for ever.
  public var idleTimeout: Duration?
  /// When it may be on its way, on CLOCK_MONOTONIC; nil: at any time.
  public var window: KubernetesRequest.SendWindow?
  /// Bytes that may wait for the reader of a stream, or that a whole body may have.
  public var bodyLimit: Int

  public init(
    method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
    tls: CurlTLS = CurlTLS(), proxy: String? = nil, connectTimeout: Duration = .seconds(10), timeout: Duration? = nil,
    idleTimeout: Duration? = nil, bodyLimit: Int = 64 << 20
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.tls = tls
    self.proxy = proxy
    self.connectTimeout = connectTimeout
    self.timeout = timeout
    self.idleTimeout = idleTimeout
    self.bodyLimit = bodyLimit
  }

  /// What ``timeout`` and ``window`` leave for an exchange that begins now.
  /// - Throws: ``TransportError`` when it must not begin any more.
  func remainingTime(now: Duration) throws(TransportError) -> Duration? {
    guard let window else { return timeout }
    guard now < window.sendBefore else {
      throw TransportError(.timedOut, "\(summary): not sent: its time was over before its turn came")
    }
    let left = window.answerBefore - now
    return min(timeout ?? left, left)
  }

  var isEncrypted: Bool { url.lowercased().hasPrefix("https://") }

  /// Whether the URL's host is this machine by address or name.
  var isLoopback: Bool {
    let parts = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[1].isEmpty else { return false }
    let authority = parts[2].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let host = (authority.split(separator: "@").last ?? authority).lowercased()
    return host.hasPrefix("127.") || host.hasPrefix("[::1]") || host == "localhost" || host.hasPrefix("localhost:")
  }
}

/// Whom a client trusts and who it says it is. All in PEM, in memory.
public struct CurlTLS: Hashable, Sendable {
  /// Certificates of the authorities that are trusted; nil: the system's.
  public var authorities: [UInt8]?
  public var clientCertificate: [UInt8]?
  public var clientKey: [UInt8]?
  /// False accepts any server: for tests by hand, never by default.
  public var verifiesServer: Bool
  /// The server is known by this public key and by nothing else, neither an authority nor a name: `sha256//` and the SHA-256
  /// of its SubjectPublicKeyInfo in base64. Nil: by its certificate.
  public var pinnedPublicKey: String?

  /// A server that has this key: see ``pinnedPublicKey``.
  public init(pinnedPublicKey: String) {
    self.init()
    self.pinnedPublicKey = pinnedPublicKey
  }

  public init(
    authorities: [UInt8]? = nil, clientCertificate: [UInt8]? = nil, clientKey: [UInt8]? = nil,
    verifiesServer: Bool = true
  ) {
    self.authorities = authorities
    self.clientCertificate = clientCertificate
    self.clientKey = clientKey
    self.verifiesServer = verifiesServer
  }
}

/// The head of an answer: everything before its body.
public struct CurlResponseHead: Sendable {
  public var status: Int
  public var headers: [(name: String, value: String)] = []

  /// The first value of a header, whatever the case of its name.
  public func header(_ name: String) -> String? {
    let wanted = name.lowercased()
    return headers.first { $0.name.lowercased() == wanted }?.value
  }
}
