import HTTPWire
import Testing

@testable import EventLoop

@Suite(.timeLimit(.minutes(1))) struct TLSNamesTests {
  @Test(
    "A client is shown the certificate that holds the name it asks for, else the first",
    arguments: [
      ("first.test", true, true), ("a.second.test", true, false), ("second.test", false, false),
      ("A.SECOND.test", true, false),
    ] as [(String, Bool, Bool)])
  func choosesByName(name: String, isAccepted: Bool, isFirst: Bool) async throws {
    let authority = try SelfSignedAuthority(commonName: "authority")
    let other = try SelfSignedAuthority(commonName: "other")
    let first = try authority.issueServerCertificate(commonName: "first", names: ["first.test"])
    let second = try other.issueServerCertificate(commonName: "second", names: ["*.second.test"])
    let server = try TLSServerContext(identities: [
      .init(certificatePEM: first.certificatePEM, privateKeyPEM: first.privateKeyPEM),
      .init(certificatePEM: second.certificatePEM, privateKeyPEM: second.privateKeyPEM),
    ])
    // Trusts only who should have signed.
    let trusted = isFirst ? authority.certificatePEM : other.certificatePEM
    let client = try TLSClientContext(trust: .authorities(pem: trusted), serverName: name)
    try await withServer(
      .loopback {
        $0.tls = server
      }
    ) {
      try? await $0.respond(status: 200, headers: [], body: [])
    } client: { loopback in
      let status = try? await loopback.call("GET", "/", body: [], tls: client).head.status
      #expect((status == 200) == isAccepted)
    }
  }

  @Test("What cannot be used is told with the files it comes from, and nothing of a key")
  func refuses() throws {
    let authority = try SelfSignedAuthority(commonName: "authority")
    let one = try authority.issueServerCertificate(commonName: "a", names: ["a.test"])
    let two = try authority.issueServerCertificate(commonName: "b", names: ["b.test"])
    let mixed = TLSServerContext.Identity(
      certificatePEM: one.certificatePEM, privateKeyPEM: two.privateKeyPEM, origin: "a.crt, b.key")
    let error = #expect(throws: HTTPError.self) { _ = try TLSServerContext(identities: [mixed]) }
    #expect(error?.message.hasPrefix("a.crt, b.key: ") == true && error?.message.contains("BEGIN") == false)
    #expect(throws: HTTPError.self) { _ = try TLSServerContext(identities: []) }
  }
}
