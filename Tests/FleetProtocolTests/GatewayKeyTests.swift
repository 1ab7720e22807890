import Testing

@testable import FleetProtocol

@Suite struct GatewayKeyTests {
  @Test("A key is told by its pin and read from it")
  func roundTrip() throws {
    let key = try #require(GatewayKey(digest: Array(0..<32)))
    #expect(key.pin == "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    #expect(GatewayKey(pin: key.pin) == key)
    #expect(GatewayKey(digest: [1, 2]) == nil)
  }

  @Test(
    "What libcurl would take for something else than one key is none",
    arguments: [
      "", "sha256//", "/etc/passwd", "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
      "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
      "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=;sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
      "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd!!8=", "sha256//;sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRY",
    ])
  func refused(text: String) {
    #expect(GatewayKey(pin: text) == nil)
  }
}
