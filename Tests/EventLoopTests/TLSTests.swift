import HTTPWire
import Testing

@testable import EventLoop

@Suite(.timeLimit(.minutes(1))) struct TLSTests {
  private static func contexts(
    names: [String]
  ) throws -> (server: TLSServerContext, authority: String) {
    let authority = try SelfSignedAuthority(commonName: "test authority")
    let identity = try authority.issueServerCertificate(commonName: "server", names: names)
    let server = try TLSServerContext(certificatePEM: identity.certificatePEM, privateKeyPEM: identity.privateKeyPEM)
    return (server, authority.certificatePEM)
  }

  @Test("bodies pass over TLS, and the connection is used again", arguments: [0, 5, 300_000])
  func roundTrip(count: Int) async throws {
    let (server, authority) = try Self.contexts(names: ["127.0.0.1", "::1", "localhost"])
    let client = try TLSClientContext(trust: .authorities(pem: authority))
    try await withServer(
      .loopback {
        $0.tls = server
      }
    ) { exchange in
      do {
        let body = try await exchange.readWholeBody(limit: 2_000_000)
        try await exchange.respond(
          status: exchange.isSecure ? 200 : 500, headers: [], body: body)
      } catch {
        exchange.abort()
      }
    } client: { loopback in
      let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 13) }
      for round in 0..<3 {
        let answer = try await loopback.call("POST", "/", body: body, tls: client)
        #expect(answer.head.status == 200)
        #expect(answer.body == body)
        #expect(answer.isReused == (round > 0))
      }
    }
  }

  @Test(
    "a certificate that does not fit is refused",
    arguments: [
      ("127.0.0.1", nil, true, true), ("127.0.0.2", nil, true, false), ("localhost", "localhost", true, true),
      ("localhost", "other", true, false), ("127.0.0.1", nil, false, false),
    ] as [(String, String?, Bool, Bool)])
  func verification(name: String, serverName: String?, trusts: Bool, isAccepted: Bool) async throws {
    let (server, authority) = try Self.contexts(names: [name])
    let other = try SelfSignedAuthority(commonName: "test authority").certificatePEM
    let client = try TLSClientContext(
      trust: .authorities(pem: trusts ? authority : other), serverName: serverName)
    try await withServer(
      .loopback {
        $0.tls = server
      }
    ) {
      try? await $0.respond(status: 200, headers: [], body: [])
    } client: { loopback in
      if isAccepted {
        let answer = try await loopback.call("GET", "/", tls: client)
        #expect(answer.head.status == 200)
      } else {
        let error = await #expect(throws: HTTPError.self) { _ = try await loopback.call("GET", "/", tls: client) }
        #expect(error?.code == .tlsFailed)
      }
    }
  }

  @Test("a plain client at a TLS server, and a silent one, are let go")
  func notTLS() async throws {
    let (server, _) = try Self.contexts(names: ["127.0.0.1"])
    try await withServer(
      .loopback {
        $0.tls = server
        $0.headTimeout = .milliseconds(30)
      }
    ) {
      try? await $0.respond(status: 200, headers: [], body: [])
    } client: { loopback in
      let plain = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
      let answer = try? await loopback.exchangeRaw([plain])
      #expect(answer?.contains("HTTP/1.1 200") != true)
      let silent = try await loopback.exchangeRaw([])
      #expect(silent == "")
    }
  }

  @Test("a server takes another certificate without a restart")
  func reload() async throws {
    let (first, _) = try Self.contexts(names: ["127.0.0.1"])
    let (second, authority) = try Self.contexts(names: ["127.0.0.1"])
    let client = try TLSClientContext(trust: .authorities(pem: authority))
    try await withServer(
      .loopback {
        $0.tls = first
      }
    ) {
      try? await $0.respond(status: 200, headers: [], body: [])
    } client: { loopback in
      await #expect(throws: HTTPError.self) { _ = try await loopback.call("GET", "/", tls: client) }
      loopback.server.replaceTLS(second)
      let answer = try await loopback.call("GET", "/", tls: client)
      #expect(answer.head.status == 200)
    }
  }

  @Test("certificates, keys and names that cannot be used are refused")
  func configuration() throws {
    let authority = try SelfSignedAuthority(commonName: "a")
    let one = try authority.issueServerCertificate(commonName: "a", names: ["a"])
    let other = try authority.issueClientCertificate(commonName: "b", organization: "system:masters")
    func refused(_ certificate: String, _ key: String) {
      let error = #expect(throws: HTTPError.self) {
        _ = try TLSServerContext(certificatePEM: certificate, privateKeyPEM: key)
      }
      #expect(error?.code == .invalidConfiguration)
    }
    refused("", one.privateKeyPEM)
    refused("nonsense", one.privateKeyPEM)
    refused(one.certificatePEM, "")
    refused(one.certificatePEM, other.privateKeyPEM)
    refused(String(one.certificatePEM.dropLast(60)), one.privateKeyPEM)
    #expect(throws: HTTPError.self) { try authority.issueServerCertificate(commonName: "a", names: []) }
    #expect(throws: HTTPError.self) { try authority.issueServerCertificate(commonName: "a", names: ["a,DNS:b"]) }
    let missing = #expect(throws: HTTPError.self) {
      _ = try TLSServerContext(certificateFile: "/nonexistent/tls.crt", privateKeyFile: "/nonexistent/tls.key")
    }
    #expect(missing?.message.contains("/nonexistent/tls.crt") == true)
  }
}
