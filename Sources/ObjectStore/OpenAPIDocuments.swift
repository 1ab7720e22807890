import KubernetesAPI

/// OpenAPI v3 as kubectl reads it: an index, and one document per group version made from the schemas.
extension ObjectStore {
  func openAPIAnswer(_ request: APIRequest) -> APIBody? {
    let segments = Array(request.segments.dropFirst())
    // Version 2 is not served: kubectl takes version 3 where it is.
    guard segments.first == "v3" else { return .pageNotFound }
    if segments.count == 1 { return index }
    let document = openAPIDocument(group: segments.dropFirst())
    guard let document else { return .pageNotFound }
    let bytes = document.bytes
    let tag = "\"\(Fingerprint.text(of: bytes))\""
    // With its hash in the URL a document never changes; without these headers kubectl fetches it for every command.
    let headers = [
      ("ETag", tag), ("Vary", "Accept"), ("Cache-Control", "public, immutable"),
      ("Expires", "Fri, 31 Dec 2100 23:59:59 GMT"), ("Last-Modified", Self.lastModified),
    ]
    if request.header("If-None-Match") == tag {
      return APIBody(status: 304, headers: headers, bytes: [])
    }
    return APIBody(status: 200, headers: headers, bytes: bytes)
  }

  private static let lastModified = "Wed, 23 Apr 2025 13:07:12 GMT"

  private var index: APIBody {
    var paths: [String: JSONValue] = [:]
    for group in apiGroups {
      for (version, resources) in group.versions where !resources.isEmpty {
        let path = group.name.isEmpty ? "api/\(version)" : "apis/\(group.name)/\(version)"
        guard let document = openAPIDocument(group: path.split(separator: "/").map(String.init)[...]) else { continue }
        let hash = Fingerprint.text(of: document.bytes)
        paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(hash)")]
      }
    }
    return APIBody(json: ["paths": .object(paths)])
  }

  /// Nil when nothing of the group version is stored here.
  private func openAPIDocument(group segments: ArraySlice<String>) -> JSONValue? {
    let path = Array(segments)
    let (group, version) =
      path.first == "api" && path.count == 2
      ? ("", path[1]) : path.first == "apis" && path.count == 3 ? (path[1], path[2]) : ("", "")
    let members = definitions.filter { $0.type.group == group && $0.type.version == version }
    if members.isEmpty { return nil }
    var paths: [String: JSONValue] = [:]
    var schemas: [String: JSONValue] = [:]
    for definition in members {
      for (path, item) in definition.openAPIPaths { paths[path] = item }
      var schema = definition.isCustom ? definition.schema.openAPI : definition.schema.openAPI.withPatchStrategies
      schema["x-kubernetes-group-version-kind"] = .array([definition.type.groupVersionKind])
      schemas[definition.openAPIName] = schema
    }
    return [
      "openapi": "3.0.0", "info": ["title": "Kubernetes", "version": "v1.33.0+pilotlight-sandbox"],
      "paths": .object(paths), "components": ["schemas": .object(schemas)],
    ]
  }
}

extension JSONValue {
  /// The schema with how strategic merge patches treat its lists. kubectl makes its patches by that: without it every list is
  /// replaced whole, and an unchanged object counts as changed because the server's defaults are in it.
  fileprivate var withPatchStrategies: JSONValue {
    switch self {
    case .array(let elements): return .array(elements.map(\.withPatchStrategies))
    case .object(let members):
      var result = members.mapValues(\.withPatchStrategies)
      guard case .string(let listType)? = members["x-kubernetes-list-type"] else { return .object(result) }
      if listType == "map", let key = members["x-kubernetes-list-map-keys"]?[0] {
        result["x-kubernetes-patch-merge-key"] = key
        result["x-kubernetes-patch-strategy"] = "merge"
      } else if listType == "set" {
        result["x-kubernetes-patch-strategy"] = "merge"
      }
      return .object(result)
    default: return self
    }
  }
}

extension ResourceType {
  fileprivate var groupVersionKind: JSONValue {
    ["group": .string(group), "version": .string(version), "kind": .string(kind)]
  }
}

extension ResourceDefinition {
  /// Reversed domain as upstream names its schemas: `com.example.demo.v1.Widget`.
  fileprivate var openAPIName: String {
    if !isCustom {
      return "io.k8s.api.\(type.group.split(separator: ".").first ?? "core").\(type.version).\(type.kind)"
    }
    return (type.group.split(separator: ".").reversed().map(String.init) + [type.version, type.kind])
      .joined(separator: ".")
  }

  /// What kubectl looks for: the kind of each path, and whether PATCH and POST take `fieldValidation`.
  fileprivate var openAPIPaths: [(String, JSONValue)] {
    let collection =
      type.isNamespaced
      ? type.collectionPath(namespace: "{namespace}") : type.collectionPath(namespace: nil)
    let patchTypes = PatchBody.Kind.allCases.filter { !isCustom || $0 != .strategic }.map(\.rawValue)
    return [
      (
        collection,
        [
          "get": operation("list", query: ["labelSelector", "fieldSelector", "limit", "continue", "watch"]),
          "post": operation("post", query: ["dryRun", "fieldManager", "fieldValidation"], body: ["application/json"]),
        ]
      ),
      (
        "\(collection)/{name}",
        [
          "get": operation("get", query: []),
          "put": operation("put", query: ["dryRun", "fieldManager", "fieldValidation"], body: ["application/json"]),
          "patch": operation(
            "patch", query: ["dryRun", "fieldManager", "fieldValidation", "force"], body: patchTypes),
          "delete": operation("delete", query: ["dryRun", "gracePeriodSeconds", "propagationPolicy"]),
        ]
      ),
    ]
  }

  private func operation(_ action: String, query: [String], body: [String] = []) -> JSONValue {
    let reference: JSONValue = ["schema": ["$ref": .string("#/components/schemas/\(openAPIName)")]]
    var operation: JSONValue = [
      "x-kubernetes-action": .string(action), "x-kubernetes-group-version-kind": type.groupVersionKind,
      "parameters": .array(
        query.map { ["name": .string($0), "in": "query", "schema": ["type": "string", "uniqueItems": true]] }),
      "responses": ["200": ["description": "OK", "content": ["application/json": reference]]],
    ]
    if !body.isEmpty {
      let content = body.map { ($0, $0.hasSuffix("patch+json") ? JSONValue.object(["schema": [:]]) : reference) }
      operation["requestBody"] = [
        "content": .object(Dictionary(content, uniquingKeysWith: { first, _ in first })), "required": true,
      ]
    }
    return operation
  }
}
