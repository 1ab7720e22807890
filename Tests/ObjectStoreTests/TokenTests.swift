import FoundationEssentials
import KubernetesAPI
import Testing

@testable import ObjectStore

@Suite("Tokens and reviews") struct TokenTests {
  private static let account = "/api/v1/namespaces/ns/serviceaccounts"
  private static let reviews = "/apis/authentication.k8s.io/v1/tokenreviews"

  private func server() -> TestServer {
    var server = TestServer()
    server.ask("POST", Self.account, #"{"metadata":{"name":"robot"}}"#)
    return server
  }

  private func token(_ server: inout TestServer, _ spec: String = "{}") throws -> String {
    let answer = server.ask("POST", "\(Self.account)/robot/token", #"{"spec":\#(spec)}"#)
    #expect(answer.status == 201, "\(answer.message)")
    return try #require(answer["status", "token"]?.stringValue)
  }

  private func review(_ server: inout TestServer, _ token: String, audience: String? = nil) -> TestServer.Answer {
    let audiences = audience.map { #","audiences":["\#($0)"]"# } ?? ""
    return server.ask("POST", Self.reviews, #"{"spec":{"token":"\#(token)"\#(audiences)}}"#)
  }

  @Test("a service account's token is that account's, for its audience only, until it expires")
  func tokens() throws {
    var server = server()
    let plain = try token(&server)
    let own = try token(&server, #"{"audiences":["gateway"],"expirationSeconds":600}"#)
    let good = review(&server, plain)
    #expect(good["status", "authenticated"] == true)
    #expect(good["status", "user", "username"] == "system:serviceaccount:ns:robot")
    #expect(
      good["status", "user", "groups"] == [
        "system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated",
      ])
    #expect(good["status", "audiences"] == [.string(ObjectStore.audience)])
    #expect(review(&server, own, audience: "gateway")["status", "audiences"] == ["gateway"])
    let elsewhere = review(&server, own)
    #expect(elsewhere["status", "authenticated"] == false)
    #expect(elsewhere["status", "error"]?.stringValue?.contains("is invalid for the target audiences") == true)
    #expect(review(&server, plain, audience: "gateway")["status", "authenticated"] == false)
    server.now += 600
    #expect(review(&server, own, audience: "gateway")["status", "authenticated"] == false)
    #expect(review(&server, plain)["status", "authenticated"] == true)
  }

  @Test("a token ends with its account, and one that looks like it is nobody's")
  func forgery() throws {
    var server = server()
    let token = try token(&server)
    for wrong in [String(token.dropLast()), token + "0", String(token.dropLast()) + "x", "", "x"] {
      #expect(review(&server, wrong)["status", "authenticated"] == false)
    }
    server.ask("DELETE", "\(Self.account)/robot")
    server.ask("POST", Self.account, #"{"metadata":{"name":"robot"}}"#)
    #expect(review(&server, token)["status", "authenticated"] == false)
  }

  @Test("a token is not given for less than ten minutes, nor for an account that is not there")
  func refusals() {
    var server = server()
    let short = server.ask("POST", "\(Self.account)/robot/token", #"{"spec":{"expirationSeconds":599}}"#)
    #expect(short.status == 422)
    #expect(short.message.hasSuffix("may not specify a duration less than 10 minutes"))
    #expect(server.ask("POST", "\(Self.account)/nobody/token", "{}").status == 404)
  }

  @Test("a SubjectAccessReview tells of any user, with the binding that allows it")
  func accessReview() {
    var server = server()
    let rbac = "/apis/rbac.authorization.k8s.io/v1"
    server.ask(
      "POST", "\(rbac)/clusterroles",
      #"{"metadata":{"name":"debug"},"rules":[{"nonResourceURLs":["/debug/state"],"verbs":["get"]}]}"#)
    server.ask(
      "POST", "\(rbac)/clusterrolebindings",
      #"{"metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":"debug"},"subjects":[{"kind":"Group","name":"team"}]}"#
    )
    func ask(_ spec: String) -> TestServer.Answer {
      server.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", #"{"spec":\#(spec)}"#)
    }
    let path = #""nonResourceAttributes":{"path":"/debug/state","verb":"get"}"#
    let allowed = ask(#"{"user":"anna","groups":["team"],\#(path)}"#)
    #expect(allowed["status", "allowed"] == true)
    #expect(
      allowed["status", "reason"]
        == #"RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "debug" to Group "team""#)
    #expect(ask(#"{"user":"anna",\#(path)}"#)["status", "allowed"] == false)
    #expect(ask("{\(path)}").status == 422)
    #expect(ask(#"{"user":"anna"}"#).status == 422)
  }

  @Test("who may impersonate is answered as somebody else; who may not is refused")
  func impersonation() throws {
    let store = server().store
    let robot = try store.effectiveUser(.admin, impersonating: "system:serviceaccount:ns:robot", groups: [])
    #expect(robot.groups.contains("system:serviceaccounts:ns"))
    let anna = try store.effectiveUser(.admin, impersonating: "anna", groups: ["team"])
    #expect(anna == APIUser(name: "anna", groups: ["team", "system:authenticated"]))
    #expect(try store.effectiveUser(anna, impersonating: nil, groups: []) == anna)
    let refusal = #expect(throws: KubernetesStatus.self) {
      try store.effectiveUser(anna, impersonating: "bert", groups: [])
    }
    #expect(refusal?.message.contains("cannot impersonate resource \"users\"") == true)
    #expect(throws: KubernetesStatus.self) { try store.effectiveUser(.admin, impersonating: nil, groups: ["team"]) }
  }

  @Test(
    "secrets are compared whole",
    arguments: [("abc", "abc", true), ("abc", "abd", false), ("ab", "abc", false), ("abcd", "abc", false)])
  func comparison(left: String, right: String, equal: Bool) {
    #expect(ConstantTime.equal(Array(left.utf8), Array(right.utf8)) == equal)
  }
}
