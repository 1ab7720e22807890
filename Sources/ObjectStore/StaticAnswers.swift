import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  /// Everything that is about no stored object: health, version, discovery, OpenAPI, reviews. Nil: not one of these.
  func staticAnswer(_ request: APIRequest, now: Date) throws(KubernetesStatus) -> APIBody? {
    let segments = request.segments
    switch segments.first {
    case nil: return APIBody(json: ["paths": JSONValue(rootPaths)])
    case "healthz", "livez", "readyz": return APIBody(text: "ok")
    case "version": return segments.count == 1 ? APIBody(json: Self.version) : nil
    case "openapi": return openAPIAnswer(request)
    case "api" where segments.count <= 2, "apis" where segments.count <= 3:
      return request.method == "GET" ? discoveryAnswer(request) : nil
    default: return try reviewAnswer(request, now: now)
    }
  }

  private var rootPaths: [String] {
    let groups = Set(apiGroups.map(\.name)).filter { !$0.isEmpty }.sorted()
    return ["/api", "/api/v1", "/apis"] + groups.map { "/apis/\($0)" }
      + ["/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]
  }

  /// The release whose semantics the store follows.
  static let version: JSONValue = [
    "major": "1", "minor": "33", "gitVersion": "v1.33.0+pilotlight-sandbox",
    "gitCommit": "60a317eadfcb839692a68eab88b2096f4d708f4f", "gitTreeState": "clean",
    "buildDate": "2025-04-23T13:07:12Z", "goVersion": "swift6.3", "compiler": "swiftc", "platform": "linux/amd64",
  ]
}
