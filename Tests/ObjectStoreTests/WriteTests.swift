import FoundationEssentials
import KubernetesAPI
import Testing

@testable import ObjectStore

@Suite("Writes")
struct WriteTests {
  private static let w1 = "\(TestServer.widgets)/w1"
  private static let merge = "application/merge-patch+json"

  @Test("The server sets uid, versions, times and defaults of a new object, and drops its status")
  func create() {
    var server = TestServer()
    let answer = server.ask(
      "POST", TestServer.widgets,
      #"{"metadata":{"generateName":"w-","uid":"mine","generation":9},"spec":{"note":"x"},"status":{"a":1}}"#)
    #expect(answer.status == 201)
    let metadata = answer["metadata"]
    #expect(metadata?["name"]?.stringValue?.hasPrefix("w-") == true)
    #expect(metadata?["name"]?.stringValue?.count == 7)
    #expect(metadata?["uid"]?.stringValue?.count == 36)
    #expect(metadata?["generation"] == 1)
    #expect(metadata?["creationTimestamp"] == "2026-01-01T00:00:00Z")
    #expect(answer["spec"] == ["note": "x", "size": 1])
    #expect(answer["status"] == nil)
    #expect(answer["apiVersion"] == "demo.example.com/v1")
  }

  @Test(
    "Generation counts changes of the spec alone; a change that changes nothing writes nothing",
    arguments: [
      ("", #"{"spec":{"size":2}}"#, 2, true), ("", #"{"spec":{"size":1}}"#, 1, false),
      ("", #"{"metadata":{"labels":{"a":"b"}}}"#, 1, true), ("/status", #"{"status":{"x":1}}"#, 1, true),
      ("/status", #"{"spec":{"size":2}}"#, 1, false), ("", #"{"status":{"x":1}}"#, 1, false),
      ("", #"{"metadata":{"creationTimestamp":null,"generation":7,"selfLink":"x"}}"#, 1, false),
      ("/scale", #"{"spec":{"replicas":3}}"#, 2, true),
    ])
  func generation(subresource: String, patch: String, generation: Int, writes: Bool) {
    var server = TestServer()
    server.createWidget("w1")
    let before = server.store.resourceVersion
    let answer = server.ask("PATCH", Self.w1 + subresource, patch, type: Self.merge)
    #expect(answer.status == 200)
    #expect(server.ask("GET", Self.w1)["metadata", "generation"]?.intValue == generation)
    #expect((server.store.resourceVersion > before) == writes)
  }

  @Test("A dry run answers with the would-be object and stores nothing")
  func dryRun() {
    var server = TestServer()
    let created = server.ask("POST", "\(TestServer.widgets)?dryRun=All", #"{"metadata":{"name":"w1"}}"#)
    #expect(created.status == 201)
    #expect(server.ask("GET", Self.w1).status == 404)
    server.createWidget("w1")
    let patched = server.ask("PATCH", "\(Self.w1)?dryRun=All", #"{"spec":{"size":9}}"#, type: Self.merge)
    #expect(patched["spec", "size"] == 9)
    #expect(server.ask("DELETE", "\(Self.w1)?dryRun=All").status == 200)
    #expect(server.ask("GET", Self.w1)["spec", "size"] == 1)
  }

  @Test("A PUT with the current resource version replaces, and keeps what the server set")
  func replace() {
    var server = TestServer()
    let created = server.createWidget("w1", spec: #"{"size":2,"note":"x"}"#)
    var body = created.json
    body["spec"] = ["size": 3]
    body["status"] = ["ignored": true]
    body[path: ["metadata", "uid"]] = nil
    let answer = server.ask("PUT", Self.w1, body.text)
    #expect(answer.status == 200)
    #expect(answer["spec"] == ["size": 3])
    #expect(answer["status"] == nil)
    #expect(answer["metadata", "uid"] == created["metadata", "uid"])
    #expect(server.ask("PUT", Self.w1, body.text).status == 409)
  }

  @Test("JSON patches apply; one that does not fit is refused with its path")
  func jsonPatch() {
    var server = TestServer()
    server.createWidget("w1")
    let type = "application/json-patch+json"
    let good = server.ask("PATCH", Self.w1, #"[{"op":"replace","path":"/spec/size","value":8}]"#, type: type)
    #expect(good["spec", "size"] == 8)
    let bad = server.ask("PATCH", Self.w1, #"[{"op":"remove","path":"/spec/none"}]"#, type: type)
    #expect(bad.status == 422)
    #expect(bad.json[path: ["details", "causes"]]?[0]?["message"]?.stringValue?.contains("/spec/none") == true)
    #expect(server.ask("PATCH", Self.w1, "{", type: type).status == 400)
  }

  @Test("Scale reads and writes the mapped fields; a stale Scale is refused")
  func scale() {
    var server = TestServer()
    server.createWidget("w1", spec: #"{"replicas":2}"#)
    server.ask("PATCH", Self.w1 + "/status", #"{"status":{"replicas":1,"selector":"app=x"}}"#, type: Self.merge)
    let scale = server.ask("GET", Self.w1 + "/scale")
    #expect(scale["kind"] == "Scale")
    #expect(scale["spec"] == ["replicas": 2])
    #expect(scale["status"] == ["replicas": 1, "selector": "app=x"])
    var body = scale.json
    body[path: ["spec", "replicas"]] = 5
    #expect(server.ask("PUT", Self.w1 + "/scale", body.text, type: nil)["spec", "replicas"] == 5)
    #expect(server.ask("PUT", Self.w1 + "/scale", body.text, type: nil).status == 409)
    let negative = server.ask("PATCH", Self.w1 + "/scale", #"{"spec":{"replicas":-1}}"#, type: Self.merge)
    #expect(
      negative.message
        == #"Scale.autoscaling "w1" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"#)
    let managers = server.ask("GET", Self.w1)["metadata", "managedFields"]?.arrayValue ?? []
    #expect(
      managers.contains { $0["subresource"] == "scale" && $0[path: ["fieldsV1", "f:spec", "f:replicas"]] == [:] })
  }

  @Test(
    "Names, labels and finalizers must be well formed",
    arguments: [
      (#"{"name":"My_W"}"#, #"metadata.name: Invalid value: "My_W": a lowercase RFC 1123 subdomain must consist"#),
      (#"{"name":"a","labels":{"k":"b c"}}"#, #"metadata.labels: Invalid value: "b c": a valid label must be"#),
      (#"{"name":"a","labels":{"k/":"b"}}"#, #"metadata.labels: Invalid value: "k/": name part must consist"#),
      (#"{"name":"a","annotations":{"A B":"b"}}"#, #"metadata.annotations: Invalid value: "a b": name part"#),
      (#"{"name":"a","finalizers":["x y"]}"#, #"metadata.finalizers[0]: Invalid value: "x y""#),
      (
        #"{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"K","name":"n","uid":""}]}"#,
        "metadata.ownerReferences[0].uid"
      ),
    ])
  func metadata(metadata: String, message: String) {
    var server = TestServer()
    let answer = server.ask("POST", TestServer.widgets, #"{"metadata":\#(metadata)}"#)
    #expect(answer.status == 422)
    #expect(answer.message.contains(message))
  }

  @Test("In-process operations follow the same rules as requests")
  func inProcess() throws {
    var server = TestServer()
    let type = ResourceDefinition.widgets.type
    let key = ObjectKey(namespace: "ns", name: "w1")
    var object = KubernetesObject(type, key)
    object.spec["size"] = 5
    let created = try server.store.apply(.init(type, .create(object), fieldManager: "c"), now: server.now).get()
    #expect(created.metadata.generation == 1)
    object.spec["size"] = 500
    #expect(throws: KubernetesStatus.self) {
      try server.store.apply(.init(type, .update(object), fieldManager: "c"), now: server.now).get()
    }
    let status = ObjectOperation(
      type, .mergePatch(key, ["status": ["phase": "Up"]]), subresource: "status", fieldManager: "kubelet")
    #expect(try server.store.apply(status, now: server.now).get().status == ["phase": "Up"])
    _ = try server.store.apply(.init(type, .delete(key, DeleteOptions()), fieldManager: "c"), now: server.now).get()
    #expect(server.store.object(type, key) == nil)
  }
}
