import KubernetesAPI

/// One group with its versions, as discovery lists them.
struct APIGroup {
  var name: String
  /// Preferred first.
  var versions: [(version: String, resources: [DiscoveredResource])]
}

/// One resource or subresource of discovery.
struct DiscoveredResource {
  var resource: String
  var singular = ""
  var isNamespaced: Bool
  var responseKind: ResourceType
  var verbs: [String]
  var shortNames: [String] = []
  var categories: [String] = []
  var subresources: [DiscoveredResource] = []
}

extension ObjectStore {
  /// Groups in order of declaration, the core group first.
  var apiGroups: [APIGroup] {
    var groups = [APIGroup(name: "", versions: [("v1", [])])]
    func add(_ resource: DiscoveredResource, _ group: String, _ version: String) {
      let index = groups.firstIndex { $0.name == group } ?? groups.count
      if index == groups.count { groups.append(APIGroup(name: group, versions: [])) }
      let slot = groups[index].versions.firstIndex { $0.version == version } ?? groups[index].versions.count
      if slot == groups[index].versions.count { groups[index].versions.append((version, [])) }
      groups[index].versions[slot].resources.append(resource)
    }
    for definition in definitions {
      add(definition.discovered, definition.type.group, definition.type.version)
    }
    for review in ReviewKind.allCases {
      let type = review.type
      add(
        DiscoveredResource(
          resource: type.resource, singular: type.kind.lowercased(), isNamespaced: false, responseKind: type,
          verbs: ["create"]), type.group, type.version)
    }
    return groups
  }

  func discoveryAnswer(_ request: APIRequest) -> APIBody? {
    let segments = request.segments
    if segments.count == 1 {
      let groups = apiGroups.filter { $0.name.isEmpty == (segments[0] == "api") }
      if let version = Self.aggregatedVersion(accept: request.header("Accept")) {
        return Self.aggregated(groups, version: version, ifNoneMatch: request.header("If-None-Match"))
      }
      if segments[0] == "api" { return APIBody(json: Self.coreVersions) }
      return APIBody(json: [
        "kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups.map(\.json)),
      ])
    }
    if segments[0] == "apis", segments.count == 2 {
      guard let group = apiGroups.first(where: { $0.name == segments[1] }), !group.name.isEmpty else { return nil }
      var json = group.json
      json["kind"] = "APIGroup"
      json["apiVersion"] = "v1"
      return APIBody(json: json)
    }
    let name = segments[0] == "api" ? "" : segments[1]
    guard let group = apiGroups.first(where: { $0.name == name }), segments[0] == "api" || !name.isEmpty,
      let found = group.versions.first(where: { $0.version == segments.last })
    else { return nil }
    return APIBody(json: [
      "kind": "APIResourceList", "apiVersion": "v1",
      "groupVersion": .string(name.isEmpty ? found.version : "\(name)/\(found.version)"),
      "resources": .array(found.resources.flatMap(\.legacy)),
    ])
  }

  private static let coreVersions: JSONValue = [
    "kind": "APIVersions", "versions": ["v1"],
    "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"]],
  ]

  /// `v2` or `v2beta1` when the client prefers aggregated discovery.
  private static func aggregatedVersion(accept: String?) -> String? {
    for range in MediaRange.parse(accept ?? "") where range.isJSON {
      guard range.parameters["as"] == "APIGroupDiscoveryList" else { return nil }
      if range.parameters["g"] == "apidiscovery.k8s.io", let version = range.parameters["v"],
        version == "v2" || version == "v2beta1"
      {
        return version
      }
    }
    return nil
  }

  private static func aggregated(_ groups: [APIGroup], version: String, ifNoneMatch: String?) -> APIBody {
    let json: JSONValue = [
      "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
      "items": .array(groups.map(\.aggregated)),
    ]
    let bytes = json.bytes
    let tag = "\"\(Fingerprint.text(of: bytes))\""
    let headers = [("ETag", tag), ("Vary", "Accept"), ("Cache-Control", "public")]
    // This exact type tells kubectl that the answer is the aggregated one.
    let type = "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
    if ifNoneMatch == tag { return APIBody(status: 304, contentType: type, headers: headers, bytes: []) }
    return APIBody(status: 200, contentType: type, headers: headers, bytes: bytes)
  }
}

extension ResourceDefinition {
  private static let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

  fileprivate var discovered: DiscoveredResource {
    var subresources: [DiscoveredResource] = []
    let verbs = ["get", "patch", "update"]
    if hasStatus {
      subresources.append(
        .init(resource: "status", isNamespaced: type.isNamespaced, responseKind: type, verbs: verbs))
    }
    if scale != nil {
      subresources.append(
        .init(resource: "scale", isNamespaced: type.isNamespaced, responseKind: ScaleSubresource.type, verbs: verbs))
    }
    if type == .pods {
      subresources.append(.init(resource: "log", isNamespaced: true, responseKind: type, verbs: ["get"]))
    }
    if type == .serviceAccounts {
      subresources.append(
        .init(
          resource: "token", isNamespaced: true, responseKind: ObjectStore.tokenRequest, verbs: ["create"]))
    }
    return DiscoveredResource(
      resource: type.resource, singular: singular, isNamespaced: type.isNamespaced, responseKind: type,
      verbs: Self.verbs, shortNames: shortNames, categories: categories, subresources: subresources)
  }
}

extension APIGroup {
  fileprivate var json: JSONValue {
    let versions: [JSONValue] = versions.map {
      ["groupVersion": .string("\(name)/\($0.version)"), "version": .string($0.version)]
    }
    return ["name": .string(name), "versions": .array(versions), "preferredVersion": versions.first ?? .null]
  }

  fileprivate var aggregated: JSONValue {
    [
      "metadata": name.isEmpty ? [:] : ["name": .string(name)],
      "versions": .array(
        versions.map {
          [
            "version": .string($0.version), "freshness": "Current",
            "resources": .array($0.resources.map { $0.aggregated(nameField: "resource") }),
          ]
        }),
    ]
  }
}

extension DiscoveredResource {
  fileprivate func aggregated(nameField: String) -> JSONValue {
    var json: JSONValue = [
      nameField: .string(resource), "verbs": JSONValue(verbs),
      "responseKind": [
        "group": .string(responseKind.group), "version": .string(responseKind.version),
        "kind": .string(responseKind.kind),
      ],
    ]
    if nameField == "resource" {
      json["scope"] = isNamespaced ? "Namespaced" : "Cluster"
      json["singularResource"] = .string(singular)
    }
    if !shortNames.isEmpty { json["shortNames"] = JSONValue(shortNames) }
    if !categories.isEmpty { json["categories"] = JSONValue(categories) }
    if !subresources.isEmpty {
      json["subresources"] = .array(subresources.map { $0.aggregated(nameField: "subresource") })
    }
    return json
  }

  /// The resource and its subresources as an APIResourceList has them.
  fileprivate var legacy: [JSONValue] {
    var json: JSONValue = [
      "name": .string(resource), "singularName": .string(singular), "namespaced": .bool(isNamespaced),
      "kind": .string(responseKind.kind), "verbs": JSONValue(verbs),
    ]
    if !shortNames.isEmpty { json["shortNames"] = JSONValue(shortNames) }
    if !categories.isEmpty { json["categories"] = JSONValue(categories) }
    return [json]
      + subresources.map { below in
        var json: JSONValue = [
          "name": .string("\(resource)/\(below.resource)"), "singularName": "", "namespaced": .bool(isNamespaced),
          "kind": .string(below.responseKind.kind), "verbs": JSONValue(below.verbs),
        ]
        if below.responseKind != responseKind {
          json["group"] = .string(below.responseKind.group)
          json["version"] = .string(below.responseKind.version)
        }
        return json
      }
  }
}

/// FNV-1a, 64 bits (draft-eastlake-fnv): names a document by its bytes; no protection against intent.
enum Fingerprint {
  static func text(of bytes: [UInt8]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let digits = String(hash, radix: 16).uppercased()
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
