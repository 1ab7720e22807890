import KubernetesAPI
import Telemetry
import Testing

@testable import KubernetesClient

private let web = ObjectKey(namespace: "shop", name: "web")

/// A call and the request that it must become.
private struct Call: CustomTestStringConvertible, Sendable {
  var request: String
  var contentType: String?
  var body: String
  var run: @Sendable (KubernetesClient) async throws -> Void
  var testDescription: String { request }

  init(
    _ request: String, _ contentType: String? = nil, _ body: String = "",
    run: @escaping @Sendable (KubernetesClient) async throws -> Void
  ) {
    self.request = request
    self.contentType = contentType
    self.body = body
    self.run = run
  }
}

@Suite struct RequestTests {
  private static let object = KubernetesObject([
    "kind": "Deployment", "metadata": ["name": "web", "namespace": "shop", "resourceVersion": "3"],
  ])

  private static let calls = [
    Call("GET /apis/apps/v1/namespaces/shop/deployments/web") { _ = try await $0.get(.deployments, web) },
    Call("GET /api/v1/nodes/n%3A1") { _ = try await $0.get(.nodes, ObjectKey(name: "n:1")) },
    Call("GET /api/v1/pods?labelSelector=a%3Db%2Cc%20in%20%28d%29&limit=500") {
      _ = try await $0.list(.pods, labelSelector: "a=b,c in (d)")
    },
    Call("GET /api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dx&limit=500") {
      _ = try await $0.list(.pods, namespace: "shop", fieldSelector: "metadata.name=x")
    },
    Call(
      "POST /apis/apps/v1/namespaces/shop/deployments?fieldManager=me", "application/json", object.json.text
    ) { _ = try await $0.create(.deployments, object, fieldManager: "me") },
    Call("PUT /apis/apps/v1/namespaces/shop/deployments/web", "application/json", object.json.text) {
      _ = try await $0.replace(.deployments, object)
    },
    Call("PUT /apis/apps/v1/namespaces/shop/deployments/web/status", "application/json", object.json.text) {
      _ = try await $0.updateStatus(.deployments, object)
    },
    Call(
      "PATCH /apis/apps/v1/namespaces/shop/deployments/web/scale", "application/merge-patch+json",
      #"{"metadata":{"resourceVersion":"3"},"spec":{"replicas":2}}"#
    ) { _ = try await $0.setScale(.deployments, web, replicas: 2, resourceVersion: "3") },
    Call("PATCH /api/v1/namespaces/shop/pods/web", "application/json-patch+json", "[]") {
      _ = try await $0.patch(.pods, web, .json([]))
    },
    Call(
      "PATCH /apis/apps/v1/namespaces/shop/deployments/web?fieldManager=me&force=false&dryRun=All",
      "application/apply-patch+yaml", "{}"
    ) {
      _ = try await $0.patch(.deployments, web, .apply([:], fieldManager: "me", force: false), dryRun: true)
    },
    Call(
      "DELETE /api/v1/namespaces/shop/pods/web", "application/json",
      #"{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"resourceVersion":"3","uid":"u"},"#
        + #""propagationPolicy":"Foreground"}"#
    ) {
      _ = try await $0.delete(
        .pods, web, preconditions: DeletionPreconditions(uid: "u", resourceVersion: "3"), propagation: .foreground)
    },
  ]

  @Test("each call becomes the request that the API conventions name", arguments: calls)
  private func request(call: Call) async throws {
    let transport = ScriptedTransport(.json("{}"))
    try await call.run(KubernetesClient(transport: transport, clock: ManualClock()))
    let request = try #require(transport.requests.first)
    #expect("\(request.method.rawValue) \(request.target)" == call.request)
    #expect(request.contentType == call.contentType)
    #expect(String(decoding: request.body, as: UTF8.self) == call.body)
  }

  @Test("a deleted object that stays for its finalizers is returned, one that is gone is not")
  func delete() async throws {
    let transport = ScriptedTransport(
      .json(#"{"kind":"Status","status":"Success"}"#), .json(#"{"kind":"Pod","metadata":{"name":"web"}}"#))
    let client = KubernetesClient(transport: transport, clock: ManualClock())
    #expect(try await client.delete(.pods, web) == nil)
    #expect(try await client.delete(.pods, web)?.metadata.name == "web")
  }

  @Test("a list is read page by page, its items get their kind, and an expired token starts it over")
  func pages() async throws {
    let transport = ScriptedTransport(
      .json(#"{"metadata":{"resourceVersion":"5","continue":"t1"},"items":[{"metadata":{"name":"old"}}]}"#),
      .json(#"{"kind":"Status","code":410,"reason":"Expired"}"#, status: 410),
      .json(#"{"metadata":{"resourceVersion":"9","continue":"t2"},"items":[{"metadata":{"name":"a"}}]}"#),
      .json(#"{"metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"b"}}]}"#))
    let client = KubernetesClient(transport: transport, clock: ManualClock())
    let list = try await client.list(.pods)
    #expect(list.items.map(\.metadata.name) == ["a", "b"])
    #expect(list.items.allSatisfy { $0.kind == "Pod" && $0.apiVersion == "v1" })
    #expect(list.resourceVersion == "9")
    let pages = ["", "&continue=t1", "", "&continue=t2"].map { "/api/v1/pods?limit=500\($0)" }
    #expect(transport.requests.map(\.target) == pages)
  }

  @Test("an object that is not there is nil to find, and an error to get")
  func find() async throws {
    let missing = KubernetesResponse.json(
      #"{"kind":"Status","code":404,"reason":"NotFound","message":"pods \"web\" not found"}"#, status: 404)
    let client = KubernetesClient(transport: ScriptedTransport(missing, missing), clock: ManualClock())
    #expect(try await client.find(.pods, web) == nil)
    await #expect(throws: KubernetesStatus.self) { try await client.get(.pods, web) }
  }
}
