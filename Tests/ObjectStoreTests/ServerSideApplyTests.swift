import FoundationEssentials
import KubernetesAPI
import Testing

@testable import ObjectStore

@Suite("Server-side apply")
struct ServerSideApplyTests {
  private static let w1 = "\(TestServer.widgets)/w1"

  private static func fields(_ answer: TestServer.Answer, _ manager: String) -> JSONValue? {
    (answer["metadata", "managedFields"]?.arrayValue ?? []).first { $0["manager"]?.stringValue == manager }?["fieldsV1"]
  }

  @Test("Applying creates with 201, applying the same again changes nothing")
  func createAndRepeat() {
    var server = TestServer()
    let first = server.apply("w1", #"{"size":3,"parts":[{"name":"a","weight":1}]}"#, manager: "kubectl")
    #expect(first.status == 201)
    #expect(
      Self.fields(first, "kubectl")?.text
        == #"{"f:spec":{"f:parts":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:weight":{}}},"f:size":{}}}"#)
    server.now += 60
    let second = server.apply("w1", #"{"size":3,"parts":[{"name":"a","weight":1}]}"#, manager: "kubectl")
    #expect(second.status == 200)
    #expect(second.json == first.json)
  }

  @Test("A field that another manager owns conflicts, and is taken by force")
  func conflict() {
    var server = TestServer()
    server.apply("w1", #"{"size":3,"note":"n"}"#, manager: "kubectl")
    let refused = server.apply("w1", #"{"size":4}"#, manager: "other")
    #expect(refused.status == 409)
    #expect(refused.message == #"Apply failed with 1 conflict: conflict with "kubectl": .spec.size"#)
    #expect(refused["reason"] == "Conflict")
    #expect(
      refused["details", "causes"] == [
        ["reason": "FieldManagerConflict", "message": #"conflict with "kubectl""#, "field": ".spec.size"]
      ])
    let both = server.apply("w1", #"{"size":4,"note":"m"}"#, manager: "other")
    #expect(
      both.message
        == "Apply failed with 2 conflicts: conflicts with \"kubectl\":\n- .spec.note\n- .spec.size")
    let forced = server.apply("w1", #"{"size":4}"#, manager: "other", query: "&force=true")
    #expect(forced["spec", "size"] == 4)
    #expect(Self.fields(forced, "kubectl") == ["f:spec": ["f:note": [:]]])
    #expect(Self.fields(forced, "other") == ["f:spec": ["f:size": [:]]])
  }

  @Test("A conflict with an updater names how and when it wrote")
  func updater() {
    var server = TestServer()
    server.apply("w1", #"{"size":3}"#, manager: "kubectl")
    server.ask(
      "PATCH", "\(Self.w1)?fieldManager=editor", #"{"spec":{"size":7}}"#, type: "application/merge-patch+json")
    #expect(
      server.apply("w1", #"{"size":3}"#, manager: "kubectl").message
        == #"Apply failed with 1 conflict: conflict with "editor" using demo.example.com/v1 at 2026-01-01T00:00:00Z: .spec.size"#
    )
  }

  @Test(
    "A field that is applied no more goes, unless somebody else owns it too",
    arguments: [
      (#"{"size":3,"note":"x"}"#, #"{"size":3}"#, #"{"size":3}"#),
      (#"{"limits":{"cpu":1,"memory":2}}"#, #"{"limits":{"memory":2}}"#, #"{"limits":{"memory":2},"size":1}"#),
      (#"{"limits":{"cpu":1}}"#, "{}", #"{"size":1}"#),
      (
        #"{"parts":[{"name":"a"},{"name":"b"}]}"#, #"{"parts":[{"name":"b"}]}"#, #"{"parts":[{"name":"b"}],"size":1}"#
      ),
      (
        #"{"parts":[{"name":"a","tags":["x","y"]}]}"#, #"{"parts":[{"name":"a","tags":["y"]}]}"#,
        #"{"parts":[{"name":"a","tags":["y"]}],"size":1}"#
      ),
      (#"{"labels":{"a":"1","b":"2"}}"#, #"{"labels":{"b":"2"}}"#, #"{"labels":{"b":"2"},"size":1}"#),
      (#"{"order":["a","b"]}"#, #"{"order":["b"]}"#, #"{"order":["b"],"size":1}"#),
      (#"{"template":{"x":{"y":1,"z":2}}}"#, #"{"template":{"x":{"z":2}}}"#, #"{"size":1,"template":{"x":{"z":2}}}"#),
    ])
  func removal(first: String, second: String, expected: String) {
    var server = TestServer()
    server.apply("w1", first, manager: "kubectl")
    #expect(server.apply("w1", second, manager: "kubectl")["spec"]?.text == expected)

    var shared = TestServer()
    shared.apply("w1", first, manager: "kubectl")
    let before = shared.apply("w1", first, manager: "other")["spec"]
    let isAtomic = first.contains("order")
    let kept = shared.apply("w1", second, manager: "kubectl", query: isAtomic ? "&force=true" : "")["spec"]
    if !isAtomic { #expect(kept == before, "co-owned fields stay") }
  }

  @Test("Elements of keyed lists merge by key, each with its own owners")
  func lists() {
    var server = TestServer()
    server.apply("w1", #"{"parts":[{"name":"a","weight":1},{"name":"b"}]}"#, manager: "one")
    let merged = server.apply("w1", #"{"parts":[{"name":"c"},{"name":"b","weight":2}]}"#, manager: "two")
    #expect(
      merged["spec", "parts"]?.text
        == #"[{"name":"a","weight":1},{"name":"c"},{"name":"b","weight":2}]"#)
    let refused = server.apply("w1", #"{"parts":[{"name":"a","weight":9}]}"#, manager: "two")
    #expect(refused.message.hasSuffix(#"conflict with "one": .spec.parts[name="a"].weight"#))
    let duplicate = server.apply("w1", #"{"parts":[{"name":"a"},{"name":"a"}]}"#, manager: "two")
    #expect(duplicate.status == 500)
    #expect(duplicate.message.hasSuffix(#".spec.parts: duplicate entries for key [name="a"]"#))
  }

  @Test("The order of the applied list wins; elements it does not name keep their place before what followed them")
  func order() {
    var server = TestServer()
    server.apply("w1", #"{"parts":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#, manager: "one")
    let answer = server.apply("w1", #"{"parts":[{"name":"c"},{"name":"a"}]}"#, manager: "two")
    #expect(answer["spec", "parts"]?.text == #"[{"name":"b"},{"name":"c"},{"name":"a"}]"#)
  }

  @Test("Status is applied through its subresource alone, under its own entry")
  func status() {
    var server = TestServer()
    server.apply("w1", "{}", manager: "kubectl")
    let body =
      #"{"apiVersion":"demo.example.com/v1","kind":"Widget","metadata":{"name":"w1"},"spec":{"size":50},"status":{"phase":"Up"}}"#
    let type = "application/apply-patch+yaml"
    #expect(server.ask("PATCH", "\(Self.w1)?fieldManager=a", body, type: type)["status"] == nil)
    let answer = server.ask("PATCH", "\(Self.w1)/status?fieldManager=b", body, type: type)
    #expect(answer["status"] == ["phase": "Up"])
    let entry = answer["metadata", "managedFields"]?.arrayValue?.first { $0["manager"] == "b" }
    #expect(entry?["subresource"] == "status")
    #expect(entry?["fieldsV1"] == ["f:status": ["f:phase": [:]]])
    #expect(
      server.ask(
        "PATCH", "\(TestServer.widgets)/none/status?fieldManager=b", body.replacing("w1", with: "none"), type: type
      ).status == 404)
  }

  @Test("An updater owns what it changed, its container included; a deletion frees the fields")
  func updates() {
    var server = TestServer()
    server.ask("POST", "\(TestServer.widgets)?fieldManager=maker", #"{"metadata":{"name":"w1"},"spec":{"note":"a"}}"#)
    var answer = server.ask("GET", Self.w1)
    #expect(Self.fields(answer, "maker") == ["f:spec": [".": [:], "f:note": [:], "f:size": [:]]])
    server.ask(
      "PATCH", "\(Self.w1)?fieldManager=eraser", #"{"spec":{"note":null}}"#, type: "application/merge-patch+json")
    answer = server.ask("GET", Self.w1)
    #expect(Self.fields(answer, "maker") == ["f:spec": [".": [:], "f:size": [:]]])
    #expect(Self.fields(answer, "eraser") == nil)
  }

  @Test("What kubectl applied on the client side before, it may take over without a conflict")
  func migration() {
    var server = TestServer()
    let path = "kubectl.kubernetes.io/last-applied-configuration"
    let last = JSONValue.string(#"{"spec":{"size":3}}"#).text
    server.ask(
      "POST", "\(TestServer.widgets)?fieldManager=kubectl-client-side-apply",
      #"{"metadata":{"name":"w1","annotations":{"\#(path)":\#(last)}},"spec":{"size":3,"note":"n"}}"#)
    #expect(server.apply("w1", #"{"size":4}"#, manager: "someone").status == 409)
    let taken = server.apply("w1", #"{"size":4}"#, manager: "kubectl")
    #expect(taken.status == 200)
    #expect(taken["metadata", "annotations", path]?.stringValue?.contains(#""size":4"#) == true)
    #expect(server.apply("w1", #"{"size":4,"note":"m"}"#, manager: "kubectl").status == 409)

    let version = taken["metadata", "resourceVersion"] ?? .null
    let only = (taken["metadata", "managedFields"]?.arrayValue ?? []).filter { $0["operation"] == "Apply" }
    let patch: JSONValue = [
      ["op": "replace", "path": "/metadata/managedFields", "value": .array(only)],
      ["op": "replace", "path": "/metadata/resourceVersion", "value": version],
    ]
    let rewritten = server.ask(
      "PATCH", "\(Self.w1)?fieldManager=kubectl", patch.text, type: "application/json-patch+json")
    #expect(rewritten["metadata", "managedFields"]?.arrayValue?.count == only.count)
  }

  @Test("The list of updaters is bounded")
  func ancientChanges() {
    var server = TestServer()
    server.createWidget("w1")
    for index in 0..<15 {
      server.ask(
        "PATCH", "\(Self.w1)?fieldManager=m\(index)", #"{"metadata":{"labels":{"l\#(index)":"x"}}}"#,
        type: "application/merge-patch+json")
      server.now += 1
    }
    let entries = server.ask("GET", Self.w1)["metadata", "managedFields"]?.arrayValue ?? []
    #expect(entries.count == 10)
    #expect(entries.contains { $0["manager"] == "ancient-changes" })
  }

  @Test("An applied Deployment merges ports by number and protocol, the default protocol included")
  func ports() {
    var server = TestServer()
    func body(_ port: String) -> String {
      #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","ports":[\#(port)]}]}}}}"#
    }
    let path = "\(TestServer.deployments)/d?fieldManager=kubectl"
    let type = "application/apply-patch+yaml"
    #expect(server.ask("PATCH", path, body(#"{"containerPort":80}"#), type: type).status == 201)
    let answer = server.ask("PATCH", path, body(#"{"containerPort":80,"name":"http"}"#), type: type)
    let container = answer["spec", "template", "spec", "containers"]?[0]
    #expect(container?["ports"] == [["containerPort": 80, "name": "http", "protocol": "TCP"]])
    let bad = server.ask("PATCH", path, body(#"{"containerPort":80,"nam":"x"}"#), type: type)
    #expect(
      bad.message.hasSuffix(
        #".spec.template.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"].nam: field not declared in schema"#
      ))
  }
}
