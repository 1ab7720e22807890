import FoundationEssentials
import KubernetesAPI
import Testing

@testable import ObjectStore

/// A store with a custom resource, asked over its HTTP entry, on a clock of its own.
struct TestServer {
  var store = ObjectStore(resources: ResourceDefinition.builtIn + [.widgets])
  var now = Date(timeIntervalSince1970: 1_767_225_600)

  init(namespaces: [String] = ["ns"]) {
    for name in namespaces { _ = ask("POST", "/api/v1/namespaces", #"{"metadata":{"name":"\#(name)"}}"#) }
  }

  static let widgets = "/apis/demo.example.com/v1/namespaces/ns/widgets"
  static let deployments = "/apis/apps/v1/namespaces/ns/deployments"
  static let pods = "/api/v1/namespaces/ns/pods"

  struct Answer {
    var status: Int
    var body: APIBody
    var json: JSONValue
    var message: String { json["message"]?.stringValue ?? String(decoding: body.bytes, as: UTF8.self) }
    subscript(path: String...) -> JSONValue? { json[path: path] }
  }

  mutating func respond(
    _ method: String, _ target: String, _ body: String = "", type: String? = "application/json", accept: String? = nil,
    headers: [(name: String, value: String)] = []
  ) -> APIResponse {
    var all = headers
    if let type, !body.isEmpty { all.append(("Content-Type", type)) }
    if let accept { all.append(("Accept", accept)) }
    all.append(("User-Agent", "test/1"))
    return store.handle(
      APIRequest(method: method, target: target, headers: all, body: Array(body.utf8)), now: now)
  }

  @discardableResult
  mutating func ask(
    _ method: String, _ target: String, _ body: String = "", type: String? = "application/json", accept: String? = nil,
    headers: [(name: String, value: String)] = []
  ) -> Answer {
    guard case .body(let answer) = respond(method, target, body, type: type, accept: accept, headers: headers) else {
      Issue.record("\(method) \(target) is a watch")
      return Answer(status: 0, body: APIBody(status: 0, bytes: []), json: .null)
    }
    return Answer(
      status: answer.status, body: answer, json: (try? JSONValue(parsing: answer.bytes)) ?? .null)
  }

  struct NoWatch: Error {}

  /// Starts a watch.
  mutating func watch(_ target: String, accept: String? = nil) throws -> WatchRequest {
    guard case .watch(let watch) = respond("GET", target, accept: accept) else { throw NoWatch() }
    return watch
  }

  /// Server-side apply of a widget's spec.
  @discardableResult
  mutating func apply(_ name: String, _ spec: String, manager: String, query: String = "") -> Answer {
    ask(
      "PATCH", "\(Self.widgets)/\(name)?fieldManager=\(manager)\(query)",
      #"{"apiVersion":"demo.example.com/v1","kind":"Widget","metadata":{"name":"\#(name)"},"spec":\#(spec)}"#,
      type: "application/apply-patch+yaml")
  }

  @discardableResult
  mutating func createWidget(_ name: String, metadata: String = "", spec: String = "{}") -> Answer {
    let extra = metadata.isEmpty ? "" : ",\(metadata)"
    return ask("POST", Self.widgets, #"{"metadata":{"name":"\#(name)"\#(extra)},"spec":\#(spec)}"#)
  }

  mutating func collectAll() { while store.collectGarbage(now: now) {} }
}

/// The lines of a watch as `TYPE name`.
func summary(_ lines: [UInt8]) -> [String] {
  lines.split(separator: 0x0A).compactMap { try? JSONValue(parsing: $0) }.map { event in
    let name =
      event[path: ["object", "metadata", "name"]]?.stringValue ?? event[path: ["object", "reason"]]?.stringValue
    return [event["type"]?.stringValue, name].compactMap { $0 }.joined(separator: " ")
  }
}

extension ResourceDefinition {
  static let widgets: ResourceDefinition = {
    var size: SchemaNode = .integer("How large.", default: 1, minimum: 1)
    size.maximum = 100
    let part: SchemaNode = .object(
      "One part.", [("name", .string()), ("weight", .integer()), ("tags", .set(.string()))], required: ["name"])
    let spec: SchemaNode = .object(
      "What the widget should be.",
      [
        ("size", size), ("replicas", .integer()), ("note", .string()), ("parts", .keyed(["name"], part)),
        ("order", .list(.string())), ("labels", .map(.string())), ("template", .opaque()),
        ("limits", .object("Limits.", [("cpu", .integer()), ("memory", .integer())])),
      ])
    return ResourceDefinition(
      type: ResourceType(group: "demo.example.com", version: "v1", resource: "widgets", kind: "Widget"),
      shortNames: ["wd"], categories: ["all"], hasStatus: true,
      scale: ScaleMapping(
        specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas",
        labelSelectorPath: ".status.selector"),
      columns: [
        TableColumn("Replicas", type: "integer", jsonPath: ".spec.replicas"),
        TableColumn("Ready", type: "string", jsonPath: ".status.conditions[?(@.type==\"Ready\")].status"),
        TableColumn("Note", type: "string", jsonPath: ".spec.note", priority: 1), .age,
      ], schema: .object("A widget.", [("spec", spec), ("status", .opaque())]))
  }()
}
