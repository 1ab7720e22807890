import KubernetesAPI
import Testing

@testable import ObjectStore

@Suite("Role-based access") struct RoleBasedAccessTests {
  private static let anna = APIUser(name: "anna", groups: ["team", "system:authenticated"])
  private static let robot = APIUser.serviceAccount(ObjectKey(namespace: "ns", name: "robot"))

  /// A request as a line: `list apps/deployments/scale ns/name`, `get core/pods`, or `get /path`.
  private func request(_ line: String, by user: APIUser = anna) -> AccessRequest {
    let words = line.split(separator: " ").map(String.init)
    if words[1].hasPrefix("/") { return AccessRequest(user: user, verb: words[0], target: .path(words[1])) }
    let what = words[1].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let place = words.count > 2 ? words[2].split(separator: "/").map(String.init) : []
    return AccessRequest(
      user: user, verb: words[0],
      target: .resource(
        .init(
          group: what[0] == "core" ? "" : what[0], resource: what[1], subresource: what.count > 2 ? what[2] : "",
          namespace: place.first ?? "",
          name: place.count > 1 ? place[1] : "")))
  }

  @Test(
    "a rule allows what it names and nothing else",
    arguments: [
      (#"{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}"#, "get core/pods ns/a", true),
      (#"{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}"#, "list core/pods ns", false),
      (#"{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}"#, "get apps/pods ns/a", false),
      (#"{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}"#, "get core/pods/log ns/a", false),
      (#"{"verbs":["get"],"apiGroups":[""],"resources":["pods/log"]}"#, "get core/pods/log ns/a", true),
      (#"{"verbs":["get"],"apiGroups":[""],"resources":["pods/log"]}"#, "get core/pods ns/a", false),
      (#"{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}"#, "patch apps/deployments/scale ns/a", true),
      (#"{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}"#, "get /version", false),
      (#"{"verbs":["patch"],"apiGroups":["apps"],"resources":["*/scale"]}"#, "patch apps/deployments/scale ns/a", true),
      (#"{"verbs":["patch"],"apiGroups":["apps"],"resources":["*/scale"]}"#, "patch apps/deployments ns/a", false),
      (
        #"{"verbs":["patch"],"apiGroups":["apps"],"resources":["*/scale"]}"#, "patch apps/deployments/status ns/a",
        false
      ),
      (#"{"verbs":["get"],"apiGroups":[""],"resources":["pods"],"resourceNames":["a"]}"#, "get core/pods ns/a", true),
      (#"{"verbs":["get"],"apiGroups":[""],"resources":["pods"],"resourceNames":["a"]}"#, "get core/pods ns/b", false),
      (#"{"verbs":["list"],"apiGroups":[""],"resources":["pods"],"resourceNames":["a"]}"#, "list core/pods ns", false),
      (#"{"verbs":["get"],"nonResourceURLs":["/debug/*"]}"#, "get /debug/state", true),
      (#"{"verbs":["get"],"nonResourceURLs":["/debug/*"]}"#, "get /debug", false),
      (#"{"verbs":["get"],"nonResourceURLs":["/debug/state"]}"#, "get /debug/state", true),
      (#"{"verbs":["get"],"nonResourceURLs":["/debug/state"]}"#, "get /debug/state/more", false),
      (#"{"verbs":["get"],"nonResourceURLs":["/debug/state"]}"#, "post /debug/state", false),
      (#"{"verbs":["get"],"nonResourceURLs":["*"]}"#, "get /anything", true),
      (#"{"verbs":["get"],"nonResourceURLs":["*"]}"#, "get /pods", true),
    ])
  func rules(rule: String, line: String, isAllowed: Bool) throws {
    #expect(PolicyRule(json: try JSONValue(parsing: Array(rule.utf8))).allows(request(line)) == isAllowed)
  }

  /// A server with two namespaces and a ClusterRole `reader`.
  private func server() -> TestServer {
    var server = TestServer(namespaces: ["ns", "other"])
    add(&server, "clusterroles", #""metadata":{"name":"reader"},"rules":[\#(Self.reads)]"#)
    return server
  }

  private static let reads = #"{"verbs":["get","list"],"apiGroups":["apps"],"resources":["deployments"]}"#

  private func add(_ server: inout TestServer, _ resource: String, namespace: String? = nil, _ members: String) {
    let base = "/apis/rbac.authorization.k8s.io/v1"
    let answer = server.ask(
      "POST", namespace.map { "\(base)/namespaces/\($0)/\(resource)" } ?? "\(base)/\(resource)", "{\(members)}")
    #expect(answer.status == 201, "\(answer.message)")
  }

  private func bind(
    _ server: inout TestServer, _ subject: String, to role: String = #"{"kind":"ClusterRole","name":"reader"}"#,
    namespace: String? = nil
  ) {
    add(
      &server, namespace == nil ? "clusterrolebindings" : "rolebindings", namespace: namespace,
      #""metadata":{"name":"b"},"roleRef":\#(role),"subjects":[\#(subject)]"#)
  }

  @Test(
    "a binding is about users, groups and service accounts, each by its own name",
    arguments: [
      (#"{"kind":"User","name":"anna"}"#, anna, true), (#"{"kind":"User","name":"bert"}"#, anna, false),
      (#"{"kind":"Group","name":"team"}"#, anna, true), (#"{"kind":"Group","name":"anna"}"#, anna, false),
      (#"{"kind":"ServiceAccount","name":"robot","namespace":"ns"}"#, robot, true),
      (#"{"kind":"ServiceAccount","name":"robot","namespace":"other"}"#, robot, false),
      (#"{"kind":"Group","name":"system:serviceaccounts:ns"}"#, robot, true),
      (#"{"kind":"User","name":"system:serviceaccount:ns:robot"}"#, robot, true),
    ])
  func subjects(subject: String, user: APIUser, isAllowed: Bool) {
    var server = server()
    #expect(server.store.decide(request("list apps/deployments", by: user)) == .denied)
    bind(&server, subject)
    #expect(server.store.decide(request("list apps/deployments", by: user)).isAllowed == isAllowed)
    #expect(server.store.decide(request("list apps/deployments ns", by: user)).isAllowed == isAllowed)
    #expect(server.store.decide(request("delete apps/deployments ns/a", by: user)) == .denied)
  }

  @Test("a RoleBinding counts in its namespace only, for Roles and for ClusterRoles, and never for paths")
  func namespaces() {
    var server = server()
    bind(&server, #"{"kind":"User","name":"anna"}"#, namespace: "ns")
    #expect(
      server.store.decide(request("get apps/deployments ns/a"))
        == .allowed(reason: #"RBAC: allowed by RoleBinding "b/ns" of ClusterRole "reader" to User "anna""#))
    #expect(server.store.decide(request("get apps/deployments other/a")) == .denied)
    #expect(server.store.decide(request("list apps/deployments")) == .denied)
    add(&server, "roles", namespace: "other", #""metadata":{"name":"local"},"rules":[\#(Self.reads)]"#)
    bind(&server, #"{"kind":"User","name":"anna"}"#, to: #"{"kind":"Role","name":"local"}"#, namespace: "other")
    #expect(server.store.decide(request("get apps/deployments other/a")).isAllowed)
    #expect(server.store.decide(request("get /debug/state")) == .denied)
  }

  @Test("an aggregated ClusterRole has the rules of those that it selects, also by way of another")
  func aggregation() {
    var server = TestServer()
    let selects = { (label: String) in
      #""aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"\#(label)":"yes"}}]},"rules":[]"#
    }
    add(&server, "clusterroles", #""metadata":{"name":"top"},\#(selects("to-top"))"#)
    add(&server, "clusterroles", #""metadata":{"name":"middle","labels":{"to-top":"yes"}},\#(selects("to-middle"))"#)
    bind(&server, #"{"kind":"User","name":"anna"}"#, to: #"{"kind":"ClusterRole","name":"top"}"#)
    #expect(server.store.decide(request("get apps/deployments ns/a")) == .denied)
    add(
      &server, "clusterroles",
      #""metadata":{"name":"leaf","labels":{"to-middle":"yes","to-top":"no"}},"rules":[\#(Self.reads)]"#)
    #expect(server.store.decide(request("get apps/deployments ns/a")).isAllowed)
  }

  @Test("system:masters may do everything; a binding to a role that is not there gives nothing")
  func edges() {
    var server = TestServer()
    #expect(server.store.decide(request("delete /everything", by: .admin)).isAllowed)
    bind(&server, #"{"kind":"User","name":"anna"}"#, to: #"{"kind":"ClusterRole","name":"missing"}"#)
    #expect(server.store.decide(request("get apps/deployments ns/a")) == .denied)
  }

  @Test(
    "a role's name is any one segment of a path",
    arguments: [("system:discovery", 201), ("Upper_case", 201), ("..", 422), ("a/b", 422), ("50%", 422)])
  func names(name: String, code: Int) {
    var server = TestServer()
    let body = #"{"metadata":{"name":"\#(name)"},"rules":[]}"#
    #expect(server.ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", body).status == code)
  }

  @Test(
    "a request is read by its URL",
    arguments: [
      ("GET", "/api/v1/namespaces/ns/pods", "list core/pods ns"), ("GET", "/api/v1/pods?watch=1", "watch core/pods"),
      ("GET", "/api/v1/namespaces/ns/pods/a", "get core/pods ns/a"),
      ("GET", "/api/v1/namespaces/ns/pods/a/log?follow=true", "get core/pods/log ns/a"),
      ("GET", "/api/v1/namespaces/ns", "get core/namespaces ns/ns"),
      ("PUT", "/api/v1/namespaces/ns/finalize", "update core/namespaces/finalize ns/ns"),
      ("GET", "/apis/apps/v1/namespaces/ns/deployments?fieldSelector=metadata.name%3Da", "list apps/deployments ns/a"),
      ("PATCH", "/apis/apps/v1/namespaces/ns/deployments/a/scale", "patch apps/deployments/scale ns/a"),
      ("DELETE", "/apis/apps/v1/namespaces/ns/deployments", "deletecollection apps/deployments ns"),
      ("POST", "/apis/apps/v1/namespaces/ns/deployments", "create apps/deployments ns"),
      ("GET", "/apis/apps/v1", "get /apis/apps/v1"), ("HEAD", "/healthz/", "head /healthz"),
    ])
  func attributes(method: String, target: String, line: String) {
    let asked = AccessRequest(APIRequest(method: method, target: target))
    let text: String
    switch asked.target {
    case .path(let path): text = "\(asked.verb) \(path)"
    case .resource(let resource):
      let what = [resource.resource, resource.subresource].filter { !$0.isEmpty }.joined(separator: "/")
      let place = [resource.namespace, resource.name].filter { !$0.isEmpty }.joined(separator: "/")
      text = "\(asked.verb) \(resource.group.nilIfEmpty ?? "core")/\(what)\(place.isEmpty ? "" : " \(place)")"
    }
    #expect(text == line)
  }

  @Test("a refusal has the API server's words")
  func refusals() {
    let user = Self.robot
    #expect(
      request("list demo/things", by: user).refusal.message
        == #"things.demo is forbidden: User "system:serviceaccount:ns:robot" cannot list resource "things" in API group "demo" at the cluster scope"#
    )
    #expect(
      request("patch apps/deployments/scale ns/a", by: user).refusal.message
        == #"deployments.apps "a" is forbidden: User "system:serviceaccount:ns:robot" cannot patch resource "deployments/scale" in API group "apps" in the namespace "ns""#
    )
    #expect(
      request("get /debug/state", by: user).refusal.message
        == #"forbidden: User "system:serviceaccount:ns:robot" cannot get path "/debug/state""#)
  }

  @Test("an apply that would create needs the right to create, too")
  func applies() throws {
    var server = TestServer()
    let patches = #"{"verbs":["patch"],"apiGroups":["demo.example.com"],"resources":["widgets"]}"#
    add(&server, "clusterroles", #""metadata":{"name":"patcher"},"rules":[\#(patches)]"#)
    bind(&server, #"{"kind":"User","name":"anna"}"#, to: #"{"kind":"ClusterRole","name":"patcher"}"#)
    let apply = APIRequest(
      method: "PATCH", target: "\(TestServer.widgets)/a?fieldManager=me",
      headers: [("Content-Type", "application/apply-patch+yaml")], user: Self.anna)
    let refusal = #expect(throws: KubernetesStatus.self) { try server.store.authorize(apply) }
    #expect(refusal?.message.contains("cannot create resource") == true)
    server.createWidget("a")
    try server.store.authorize(apply)
  }
}
