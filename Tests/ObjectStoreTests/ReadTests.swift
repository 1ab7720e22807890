import FoundationEssentials
import KubernetesAPI
import Testing

@testable import ObjectStore

@Suite("Reads")
struct ReadTests {
  private static let widgets = TestServer.widgets
  private static let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

  @Test("Pages follow one another without gaps or repeats, whatever is written in between", arguments: [1, 2, 3, 7])
  func paging(limit: Int) {
    var server = TestServer()
    for index in 0..<7 { server.createWidget("w\(index)") }
    var names: [String] = []
    var next = ""
    repeat {
      let token = next.replacing("=", with: "%3D").replacing("+", with: "%2B")
      let page = server.ask("GET", "\(Self.widgets)?limit=\(limit)" + (next.isEmpty ? "" : "&continue=\(token)"))
      let items = page["items"]?.arrayValue ?? []
      #expect(items.count <= limit)
      names += items.compactMap { $0[path: ["metadata", "name"]]?.stringValue }
      next = page["metadata", "continue"]?.stringValue ?? ""
      if !next.isEmpty { #expect(page["metadata", "remainingItemCount"]?.intValue == 7 - names.count) }
      server.createWidget("a\(names.count)")
    } while !next.isEmpty
    #expect(names == (0..<7).map { "w\($0)" })
  }

  @Test("A continue token older than the history is Expired")
  func oldToken() {
    var server = TestServer()
    for index in 0..<3 { server.createWidget("w\(index)") }
    let token = server.ask("GET", "\(Self.widgets)?limit=1")["metadata", "continue"]?.stringValue ?? ""
    server.createWidget("w9")
    server.store.compact()
    let answer = server.ask("GET", "\(Self.widgets)?limit=1&continue=\(token.replacing("=", with: "%3D"))")
    #expect(answer.status == 410)
    #expect(answer["reason"] == "Expired")
  }

  @Test(
    "Lists hold what their path and selectors say, in order",
    arguments: [
      ("/apis/demo.example.com/v1/namespaces/ns/widgets", ["w1", "w2"]),
      ("/apis/demo.example.com/v1/widgets", ["w1", "w2", "w0"]),
      ("/apis/demo.example.com/v1/widgets?fieldSelector=metadata.namespace%3Dother", ["w0"]),
      ("/apis/demo.example.com/v1/widgets?fieldSelector=metadata.name%3Dw1,metadata.namespace%3Dns", ["w1"]),
      ("/apis/demo.example.com/v1/namespaces/ns/widgets?labelSelector=a+in+(b,c)", ["w1"]),
      ("/apis/demo.example.com/v1/namespaces/ns/widgets?resourceVersion=0", ["w1", "w2"]),
      ("/apis/demo.example.com/v1/namespaces/nons/widgets", []),
    ])
  func lists(target: String, names: [String]) {
    var server = TestServer(namespaces: ["ns", "other"])
    server.createWidget("w2")
    server.createWidget("w1", metadata: #""labels":{"a":"b"}"#)
    server.ask("POST", "/apis/demo.example.com/v1/namespaces/other/widgets", #"{"metadata":{"name":"w0"}}"#)
    let answer = server.ask("GET", target)
    #expect(answer.status == 200)
    #expect((answer["items"]?.arrayValue ?? []).compactMap { $0[path: ["metadata", "name"]]?.stringValue } == names)
    #expect(answer["kind"] == "WidgetList")
  }

  @Test("Items of custom resources repeat their type, those of built-in ones do not")
  func itemTypes() {
    var server = TestServer()
    server.createWidget("w1")
    #expect(server.ask("GET", Self.widgets)["items"]?[0]?["kind"] == "Widget")
    #expect(server.ask("GET", "/api/v1/namespaces")["items"]?[0]?["kind"] == nil)
  }

  @Test("Events are found by what they are about, pods by node and phase")
  func fieldSelectors() {
    var server = TestServer()
    server.ask(
      "POST", "/api/v1/namespaces/ns/events",
      #"{"metadata":{"name":"e1"},"involvedObject":{"kind":"Widget","name":"w1","uid":"u","apiVersion":"demo.example.com/v1"},"reason":"R","message":"m"}"#
    )
    func count(_ selector: String, _ path: String) -> Int? {
      server.ask("GET", "\(path)?fieldSelector=\(selector.replacing("=", with: "%3D"))")["items"]?.arrayValue?.count
    }
    let events = "/api/v1/namespaces/ns/events"
    #expect(count("involvedObject.uid=u,involvedObject.name=w1,involvedObject.kind=Widget", events) == 1)
    #expect(count("involvedObject.kind=Widget,involvedObject.apiVersion=demo.example.com/v1", events) == 1)
    #expect(count("involvedObject.name=w2", events) == 0)
    server.ask(
      "POST", TestServer.pods,
      #"{"metadata":{"name":"p"},"spec":{"nodeName":"n1","containers":[{"name":"c","image":"i"}]}}"#)
    #expect(count("spec.nodeName=n1,status.phase=Pending", TestServer.pods) == 1)
    #expect(count("spec.nodeName!=n1", TestServer.pods) == 0)
  }

  @Test("A table has the columns of the resource and the object's metadata in each row")
  func tables() {
    var server = TestServer()
    server.createWidget("w1", spec: #"{"replicas":2,"note":"hello"}"#)
    server.now = server.now.addingTimeInterval(3700)
    let answer = server.ask("GET", Self.widgets, accept: Self.table)
    #expect(answer["kind"] == "Table")
    #expect(
      answer["columnDefinitions"]?.arrayValue?.compactMap { $0["name"] } == [
        "Name", "Replicas", "Ready", "Note", "Age",
      ])
    #expect(answer["columnDefinitions"]?[3]?["priority"] == 1)
    let row = answer["rows"]?[0]
    #expect(row?["cells"] == ["w1", 2, .null, "hello", "61m"])
    #expect(row?[path: ["object", "kind"]] == "PartialObjectMetadata")
    #expect(row?[path: ["object", "metadata", "namespace"]] == "ns")
    #expect(answer.body.contentType == "application/json")
    let whole = server.ask("GET", "\(Self.widgets)/w1?includeObject=Object", accept: Self.table)
    #expect(whole["rows"]?[0]?[path: ["object", "spec", "note"]] == "hello")
    let none = server.ask("GET", "\(Self.widgets)?includeObject=None", accept: Self.table)
    #expect(none["rows"]?[0]?["object"] == nil)
    let old = server.ask(
      "GET", Self.widgets,
      accept: "application/json;as=Table;v=v9;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io")
    #expect(old["apiVersion"] == "meta.k8s.io/v1beta1")
  }

  @Test("Metadata alone can be asked for")
  func partialMetadata() {
    var server = TestServer()
    server.createWidget("w1")
    let one = server.ask(
      "GET", "\(Self.widgets)/w1", accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
    #expect(one["kind"] == "PartialObjectMetadata")
    #expect(one["spec"] == nil)
    let list = server.ask(
      "GET", Self.widgets, accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    #expect(list["kind"] == "PartialObjectMetadataList")
    #expect(list["items"]?.arrayValue?.count == 1)
  }

  @Test(
    "Ages read as kubectl prints them",
    arguments: [
      (0, "0s"), (119, "119s"), (120, "2m"), (599, "9m59s"), (600, "10m"), (10_799, "179m"), (10_800, "3h"),
      (28_799, "7h59m"), (28_800, "8h"), (172_799, "47h"), (172_800, "2d"), (180_000, "2d2h"), (691_200, "8d"),
      (63_071_999, "729d"), (63_072_000, "2y"), (252_288_000, "8y"), (-1, "0s"), (-5, "<invalid>"),
    ])
  func ages(seconds: Int, text: String) { #expect(HumanDuration.text(seconds: seconds) == text) }

  @Test(
    "JSON paths of printer columns select what they name",
    arguments: [
      (".spec.replicas", "2"), (".status.conditions[?(@.type==\"Ready\")].status", "\"True\""),
      (".status.conditions[?(@.type=='Ready')].status", "\"True\""), (".status.conditions[*].type", "\"Other\""),
      (".metadata.labels['a.b/c']", "\"x\""), (".metadata.labels.a\\.b", nil),
      (".status.conditions[-1].type", "\"Ready\""),
      (".spec.none", nil), ("{.spec.replicas}", "2"),
    ] as [(String, String?)])
  func paths(path: String, expected: String?) {
    let object: JSONValue = [
      "spec": ["replicas": 2], "metadata": ["labels": ["a.b/c": "x"]],
      "status": ["conditions": [["type": "Other", "status": "False"], ["type": "Ready", "status": "True"]]],
    ]
    #expect(JSONPath(path).first(in: object)?.text == expected)
  }
}
