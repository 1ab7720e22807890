import KubernetesAPI
import Testing

@testable import ObjectStore

/// The texts of `reference: kubectl-wire`, section 10, as a real API server gave them.
@Suite("Errors")
struct ErrorTextTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var method: String
    var target: String
    var body = ""
    var type: String? = "application/json"
    var code: Int
    var reason: String?
    var message: String
    var testDescription: String { "\(method) \(target): \(code)" }
  }

  private static let w = TestServer.widgets
  private static let merge = "application/merge-patch+json"
  private static let apply = "application/apply-patch+yaml"

  static let cases: [Case] = [
    Case(
      method: "GET", target: "\(w)/nope", code: 404, reason: "NotFound",
      message: #"widgets.demo.example.com "nope" not found"#),
    Case(
      method: "DELETE", target: "\(w)/nope", code: 404, reason: "NotFound",
      message: #"widgets.demo.example.com "nope" not found"#),
    Case(method: "GET", target: "/apis/demo.example.com/v1/gadgets", code: 404, message: "404 page not found\n"),
    Case(
      method: "POST", target: w, body: #"{"metadata":{"name":"w1"}}"#, code: 409, reason: "AlreadyExists",
      message: #"widgets.demo.example.com "w1" already exists"#),
    Case(
      method: "POST", target: "/apis/demo.example.com/v1/namespaces/nons/widgets", body: #"{"metadata":{"name":"a"}}"#,
      code: 404, reason: "NotFound", message: #"namespaces "nons" not found"#),
    Case(
      method: "POST", target: w, body: "{}", code: 422, reason: "Invalid",
      message:
        #"Widget.demo.example.com "" is invalid: metadata.name: Required value: name or generateName is required"#),
    Case(
      method: "POST", target: w, body: #"{"metadata":{"name":"a"},"spec":{"size":0}}"#, code: 422, reason: "Invalid",
      message:
        #"Widget.demo.example.com "a" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"#
    ),
    Case(
      method: "POST", target: "\(w)?fieldValidation=Strict", body: #"{"metadata":{"name":"a"},"spec":{"bogus":0}}"#,
      code: 400, reason: "BadRequest",
      message:
        #"Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.bogus""#),
    Case(
      method: "PATCH", target: "\(w)/w1?fieldManager=m", body: #"{"metadata":{"name":"w1"},"spec":{"bogus":0}}"#,
      type: apply, code: 500,
      message:
        "failed to create typed patch object (/w1; demo.example.com/v1, Kind=Widget): .spec.bogus: field not declared in schema"
    ),
    Case(
      method: "PATCH", target: "\(w)/w1", body: #"{"spec":{}}"#, type: apply, code: 422, reason: "Invalid",
      message: #"PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch"#),
    Case(
      method: "PATCH", target: "\(w)/w1?force=true", body: #"{"spec":{}}"#, type: merge, code: 422, reason: "Invalid",
      message: #"PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch"#),
    Case(
      method: "PUT", target: "\(w)/w1", body: #"{"metadata":{"name":"w1","resourceVersion":"1"}}"#, code: 409,
      reason: "Conflict",
      message:
        #"Operation cannot be fulfilled on widgets.demo.example.com "w1": the object has been modified; please apply your changes to the latest version and try again"#
    ),
    Case(
      method: "PUT", target: "\(w)/w1", body: #"{"metadata":{"name":"w1"}}"#, code: 422, reason: "Invalid",
      message:
        #"Widget.demo.example.com "w1" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"#
    ),
    Case(
      method: "PUT", target: "\(w)/w1", body: #"{"metadata":{"name":"zz"}}"#, code: 400, reason: "BadRequest",
      message: "the name of the object (zz) does not match the name on the URL (w1)"),
    Case(
      method: "POST", target: w, body: #"{"kind":"Other","metadata":{"name":"a"}}"#, code: 422, reason: "Invalid",
      message: #"Other.demo.example.com "a" is invalid: kind: Invalid value: "Other": must be Widget"#),
    Case(
      method: "POST", target: w, body: "{", code: 400, reason: "BadRequest",
      message:
        "the object provided is unrecognized (must be of type Widget): couldn't get version/kind; json parse error: unexpected end of JSON input ({)"
    ),
    Case(
      method: "POST", target: w, body: "x", type: "text/plain", code: 415, reason: "UnsupportedMediaType",
      message:
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf"
    ),
    Case(
      method: "PATCH", target: "\(w)/w1", body: "{}", type: "application/strategic-merge-patch+json", code: 415,
      reason: "UnsupportedMediaType",
      message:
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    ),
    Case(
      method: "DELETE", target: "\(w)/w1", body: #"{"preconditions":{"uid":"x"}}"#, code: 409, reason: "Conflict",
      message:
        #"Operation cannot be fulfilled on widgets.demo.example.com "w1": the UID in the precondition (x) does not match the UID in record (<uid>). The object might have been deleted and then recreated"#
    ),
    Case(
      method: "GET", target: "\(w)?fieldSelector=spec.size%3D1", code: 400, reason: "BadRequest",
      message: "field label not supported: spec.size"),
    Case(
      method: "GET", target: "\(w)?labelSelector=%3Db", code: 400, reason: "BadRequest",
      message: "unable to parse requirement: found '=', expected: identifier"),
    Case(
      method: "GET", target: "\(w)?continue=bad", code: 400, reason: "BadRequest",
      message: "invalid continue token: bad"),
    Case(
      method: "GET", target: "\(w)?resourceVersion=99999999&resourceVersionMatch=NotOlderThan", code: 504,
      reason: "Timeout", message: "Timeout: Too large resource version: 99999999, current: 3"),
    Case(
      method: "GET", target: "\(w)/w1/scale", code: 500, reason: "InternalError",
      message: #"Internal error occurred: the spec replicas field ".spec.replicas" does not exist"#),
    Case(
      method: "GET", target: "\(w)/w1/nope", code: 404, reason: "NotFound",
      message: "the server could not find the requested resource"),
    Case(
      method: "PUT", target: w, body: "{}", code: 405, reason: "MethodNotAllowed",
      message: "the server does not allow this method on the requested resource"),
    Case(
      method: "POST", target: w, body: #"{"metadata":{"name":"a","namespace":"other"}}"#, code: 400,
      reason: "BadRequest",
      message: "the namespace of the provided object does not match the namespace sent on the request"),
    Case(
      method: "POST", target: "\(w)?dryRun=Some", body: #"{"metadata":{"name":"a"}}"#, code: 422, reason: "Invalid",
      message: #"CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: "Some": supported values: "All""#),
    Case(
      method: "PATCH", target: "\(w)/w1", body: #"{"metadata":{"uid":"other"}}"#, type: merge, code: 409,
      reason: "Conflict",
      message:
        #"Operation cannot be fulfilled on widgets.demo.example.com "w1": Precondition failed: UID in precondition: other, UID in object meta: <uid>"#
    ),
  ]

  @Test("A failed request is answered in the API server's words", arguments: cases)
  func text(_ example: Case) {
    var server = TestServer()
    let uid = server.createWidget("w1")["metadata", "uid"]?.stringValue ?? ""
    let before = server.store.resourceVersion
    let answer = server.ask(example.method, example.target, example.body, type: example.type)
    #expect(answer.status == example.code)
    #expect(answer.message == example.message.replacing("<uid>", with: uid))
    if example.message.hasPrefix("404 page") {
      #expect(answer.body.contentType.hasPrefix("text/plain"))
    } else {
      #expect(answer.body.contentType == "application/json")
      #expect(answer["kind"] == "Status")
      #expect(answer["reason"]?.stringValue == example.reason)
      #expect(answer["code"]?.intValue == example.code)
    }
    #expect(server.store.resourceVersion == before, "a refused request writes nothing")
  }

  @Test("A schema violation carries its cause and the kind, a missing object the plural")
  func details() {
    var server = TestServer()
    let invalid = server.createWidget("a", spec: #"{"size":0}"#)
    #expect(invalid["details", "kind"] == "Widget")
    #expect(invalid.json[path: ["details", "causes"]]?[0]?["reason"] == "FieldValueInvalid")
    #expect(invalid.json[path: ["details", "causes"]]?[0]?["field"] == "spec.size")
    #expect(server.ask("GET", "\(Self.w)/a")["details", "kind"] == "widgets")
  }

  @Test("Unknown fields are pruned with a Warning, refused in a strict patch, and taken silently when ignored")
  func fieldValidation() {
    var server = TestServer()
    let body = #"{"metadata":{"name":"a"},"spec":{"bogus":1,"size":2}}"#
    let warned = server.ask("POST", Self.w, body)
    #expect(warned.status == 201)
    #expect(warned["spec"] == ["size": 2])
    #expect(warned.body.headers.first?.value == #"299 - "unknown field \"spec.bogus\"""#)
    let strict = server.ask(
      "PATCH", "\(Self.w)/a?fieldValidation=Strict", #"{"spec":{"bogus":1}}"#, type: Self.merge)
    #expect(strict.status == 422)
    #expect(strict.message.hasPrefix(#" "" is invalid: patch: Invalid value: "{"#))
    #expect(strict.message.hasSuffix(#"strict decoding error: unknown field "spec.bogus""#))
    let ignored = server.ask("PATCH", "\(Self.w)/a?fieldValidation=Ignore", #"{"spec":{"bogus":1}}"#, type: Self.merge)
    #expect(ignored.body.headers.isEmpty)
    #expect(ignored["metadata", "resourceVersion"] == warned["metadata", "resourceVersion"])
  }

  @Test("An Accept header that cannot be served is refused")
  func notAcceptable() {
    var server = TestServer()
    #expect(server.ask("GET", Self.w, accept: "application/vnd.kubernetes.protobuf").status == 406)
    #expect(server.ask("GET", Self.w, accept: "application/vnd.kubernetes.protobuf,application/json").status == 200)
    #expect(server.ask("GET", Self.w, accept: "application/vnd.kubernetes.protobuf, */*").status == 200)
  }
}
