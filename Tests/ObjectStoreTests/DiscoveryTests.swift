import KubernetesAPI
import Testing

@testable import ObjectStore

@Suite("Discovery")
struct DiscoveryTests {
  private static func accept(_ version: String) -> String {
    "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList,application/json"
  }

  @Test(
    "Aggregated discovery has its exact content type, and an ETag that saves the second answer",
    arguments: ["v2", "v2beta1"])
  func aggregated(version: String) throws {
    var server = TestServer()
    let answer = server.ask("GET", "/apis?timeout=32s", accept: Self.accept(version))
    #expect(
      answer.body.contentType == "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList")
    let group = try #require(
      answer["items"]?.arrayValue?.first { $0[path: ["metadata", "name"]] == "demo.example.com" })
    let resource = group["versions"]?[0]?["resources"]?[0]
    #expect(resource?["resource"] == "widgets")
    #expect(resource?["singularResource"] == "widget")
    #expect(resource?["shortNames"] == ["wd"])
    #expect(resource?["scope"] == "Namespaced")
    #expect(
      resource?["subresources"]?[1]?["responseKind"] == ["group": "autoscaling", "version": "v1", "kind": "Scale"])
    let tag = try #require(answer.body.headers.first { $0.name == "ETag" }?.value)
    let again = server.ask("GET", "/apis", accept: Self.accept(version), headers: [("If-None-Match", tag)])
    #expect(again.status == 304)
    #expect(again.body.bytes.isEmpty)
    #expect(server.ask("GET", "/api", accept: Self.accept(version))["items"]?[0]?["metadata"] == [:])
  }

  @Test("Plain discovery is served too, group version by group version")
  func legacy() {
    var server = TestServer()
    #expect(server.ask("GET", "/api")["versions"] == ["v1"])
    let groups = server.ask("GET", "/apis", accept: "application/json, */*")
    #expect(groups["kind"] == "APIGroupList")
    #expect(groups["groups"]?.arrayValue?.contains { $0["name"] == "apps" } == true)
    let list = server.ask("GET", "/apis/demo.example.com/v1")
    #expect(
      list["resources"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == [
        "widgets", "widgets/status", "widgets/scale",
      ])
    #expect(server.ask("GET", "/api/v1")["groupVersion"] == "v1")
    #expect(server.ask("GET", "/apis/apps")["kind"] == "APIGroup")
    #expect(server.ask("GET", "/apis/none/v1").status == 404)
    #expect(server.ask("GET", "/version")["major"] == "1")
    #expect(String(decoding: server.ask("GET", "/readyz").body.bytes, as: UTF8.self) == "ok")
  }

  @Test("The OpenAPI index names a document for each group version, with what kubectl looks for in it")
  func openAPI() throws {
    var server = TestServer()
    let index = server.ask("GET", "/openapi/v3")
    let target = try #require(
      index["paths", "apis/demo.example.com/v1", "serverRelativeURL"]?.stringValue)
    #expect(target.hasPrefix("/openapi/v3/apis/demo.example.com/v1?hash="))
    let document = server.ask("GET", target)
    #expect(document.body.headers.contains { $0.name == "Cache-Control" && $0.value == "public, immutable" })
    let patch = document["paths", "/apis/demo.example.com/v1/namespaces/{namespace}/widgets/{name}", "patch"]
    #expect(patch?["parameters"]?.arrayValue?.contains { $0["name"] == "fieldValidation" } == true)
    #expect(patch?["x-kubernetes-group-version-kind"]?["kind"] == "Widget")
    let schema = document["components", "schemas", "com.example.demo.v1.Widget"]
    #expect(schema?["x-kubernetes-group-version-kind"]?[0]?["kind"] == "Widget")
    #expect(schema?[path: ["properties", "spec", "properties", "size", "minimum"]] == 1)
    #expect(schema?[path: ["properties", "metadata", "properties", "labels", "type"]] == "object")
    #expect(server.ask("GET", "/openapi/v2").status == 404)
    #expect(server.ask("GET", "/openapi/v3/apis/none/v1").status == 404)
    let core = server.ask("GET", "/openapi/v3/api/v1")
    let ports = core["components", "schemas", "io.k8s.api.core.v1.Service"]?[
      path: ["properties", "spec", "properties", "ports"]]
    #expect(ports?["x-kubernetes-patch-merge-key"] == "port")
    #expect(ports?["x-kubernetes-patch-strategy"] == "merge")
  }

  @Test("Reviews sent as protobuf are answered in JSON")
  func reviews() throws {
    var server = TestServer()
    let meta = proto(1, "authorization.k8s.io/v1") + proto(2, "SelfSubjectAccessReview")
    let attributes = proto(1, "wire") + proto(2, "get") + proto(5, "pods")
    let raw = proto(1, []) + proto(2, proto(1, attributes)) + proto(3, [])
    let answer = server.askProtobuf(
      "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", proto(1, meta) + proto(2, raw))
    #expect(answer.status == 201)
    #expect(answer["status", "allowed"] == true)
    #expect(answer["spec", "resourceAttributes"] == ["namespace": "wire", "verb": "get", "resource": "pods"])
    let who = server.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}")
    #expect(who["status", "userInfo", "username"] == "pilotlight-admin")
  }

  @Test("A namespace sent as protobuf is created; what is no protobuf is refused")
  func protobufNamespace() {
    var server = TestServer()
    let meta = proto(1, "v1") + proto(2, "Namespace")
    let labels = proto(11, proto(1, "a") + proto(2, "b"))
    let raw = proto(1, proto(1, "made") + labels) + proto(2, []) + proto(3, [])
    let answer = server.askProtobuf("/api/v1/namespaces", proto(1, meta) + proto(2, raw))
    #expect(answer.status == 201)
    #expect(answer["metadata", "name"] == "made")
    #expect(answer["metadata", "labels", "a"] == "b")
    #expect(answer["status", "phase"] == "Active")
    for broken in [[0xFF], [0x0A, 0x7F], [0x0A] + [UInt8](repeating: 0xFF, count: 12), [0x0B]] as [[UInt8]] {
      #expect(server.askProtobuf("/api/v1/namespaces", broken).status == 415)
    }
  }
}

/// A length-delimited protobuf field.
private func proto(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }
private func proto(_ number: UInt8, _ text: String) -> [UInt8] { proto(number, Array(text.utf8)) }

extension TestServer {
  fileprivate mutating func askProtobuf(_ target: String, _ message: [UInt8]) -> Answer {
    let request = APIRequest(
      method: "POST", target: target, headers: [("Content-Type", "application/vnd.kubernetes.protobuf")],
      body: [0x6B, 0x38, 0x73, 0x00] + message)
    guard case .body(let body) = store.handle(request, now: now) else {
      return Answer(status: 0, body: APIBody(status: 0, bytes: []), json: .null)
    }
    return Answer(status: body.status, body: body, json: (try? JSONValue(parsing: body.bytes)) ?? .null)
  }
}
