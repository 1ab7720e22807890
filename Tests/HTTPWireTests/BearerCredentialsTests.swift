import HTTPWire
import Testing

@Suite("Bearer credentials") struct BearerCredentialsTests {
  @Test(
    "a token is what follows the scheme, whatever its case",
    arguments: [
      ("Bearer abc", "abc"), ("bearer   a.b-c", "a.b-c"), ("Bearer ", nil), ("Bearer", nil), ("Basic abc", nil),
      ("Bearer a b", nil), ("Bearerabc", nil), ("", nil),
    ] as [(String, String?)])
  func tokens(field: String, token: String?) {
    #expect(BearerCredentials.token(in: field) == token)
  }
}
