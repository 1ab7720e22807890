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

  @Test("Nothing is to be told of those that lose a name to the same owner as before")
  func bystanders() {
    var claims = NameClaims()
    let keys = (0..<5).map { ObjectKey(namespace: "n", name: "s\($0)") }
    for (index, key) in keys.enumerated() {
      let affected = claims.set(["llm"], of: key, created: "2026-01-01T00:00:0\(index)Z")
      #expect(affected.isEmpty, "\(key) is younger than all before")
    }
    #expect(claims.set([], of: keys[2], created: "").isEmpty)
    #expect(claims.set([], of: keys[0], created: "") == [keys[1], keys[3], keys[4]])
    #expect(claims.lost(by: keys[4]).map(\.owner) == [keys[1]])
    // Made again by the same name, and now the youngest.
    #expect(claims.set(["llm"], of: keys[1], created: "2026-01-02T00:00:00Z") == [keys[3], keys[4]])
    #expect(claims.lost(by: keys[1]).map(\.owner) == [keys[3]])
  }
}
