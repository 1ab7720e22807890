import KubernetesAPI
import Testing

@testable import Operator

@Suite struct NameClaimsTests {
  static let elder = ObjectKey(namespace: "b", name: "elder")
  static let younger = ObjectKey(namespace: "a", name: "younger")

  @Test("The older service keeps a name, and the younger gets it when the older goes")
  func age() {
    var claims = NameClaims()
    #expect(claims.set(["llm", "own"], of: Self.younger, created: "2026-01-02T00:00:00Z").isEmpty)
    #expect(claims.lost(by: Self.younger).isEmpty)
    #expect(claims.set(["llm"], of: Self.elder, created: "2026-01-01T00:00:00Z") == [Self.younger])
    #expect(claims.lost(by: Self.younger).map(\.name) == ["llm"])
    #expect(claims.lost(by: Self.younger).first?.owner == Self.elder)
    #expect(claims.lost(by: Self.elder).isEmpty)
    #expect(claims.set([], of: Self.elder, created: "") == [Self.younger])
    #expect(claims.lost(by: Self.younger).isEmpty)
  }

  @Test("Of the same second, namespace and name decide")
  func tie() {
    var claims = NameClaims()
    _ = claims.set(["llm"], of: Self.elder, created: "2026-01-01T00:00:00Z")
    _ = claims.set(["llm"], of: Self.younger, created: "2026-01-01T00:00:00Z")
    #expect(claims.lost(by: Self.elder).map(\.owner) == [Self.younger])
    #expect(claims.set(["llm"], of: Self.elder, created: "2026-01-01T00:00:00Z").isEmpty)
  }
}
