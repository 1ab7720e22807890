import CurlTransport
import EventLoop
import Synchronization

/// A real HTTP server on a free port of loopback.
final class LoopbackServer: Sendable {
  let url: String
  /// Trusts the server.
  let tls: CurlTLS
  private let loop: EventLoop
  private let server: HTTPServer

  init(encrypted: Bool = false, handler: @escaping @Sendable (HTTPExchange) async -> Void) throws {
    loop = try EventLoop(name: "test-server")
    loop.start()
    var configuration = HTTPServerConfiguration(address: try SocketAddress(parsing: "127.0.0.1:0"))
    var trust = CurlTLS()
    if encrypted {
      let authority = try SelfSignedAuthority(commonName: "test")
      let identity = try authority.issueServerCertificate(commonName: "server", names: ["127.0.0.1"])
      configuration.tls = try TLSServerContext(
        certificatePEM: identity.certificatePEM, privateKeyPEM: identity.privateKeyPEM)
      trust.authorities = Array(authority.certificatePEM.utf8)
    }
    tls = trust
    server = HTTPServer(loop: loop, configuration: configuration, handler: handler)
    url = "\(encrypted ? "https" : "http")://\(try server.start())"
  }

  deinit {
    server.stopAccepting()
    loop.stop()
  }
}

/// Lets a handler or a test wait until the other side has done something. Opening it as often as was said lets
/// everybody through.
final class Gate: Sendable {
  private struct State {
    var closed: Int
    var waiters: [CheckedContinuation<Void, Never>] = []
  }
  private let state: Mutex<State>

  init(opens count: Int = 1) { state = Mutex(State(closed: count)) }

  func open() {
    let waiters = state.withLock { state in
      state.closed -= 1
      guard state.closed <= 0 else { return [CheckedContinuation<Void, Never>]() }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if state.closed > 0 { state.waiters.append(continuation) }
        return state.closed <= 0
      }
      if isOpen { continuation.resume() }
    }
  }
}
