import KubernetesAPI

/// Which objects of a type a list or a watch is about.
public struct ObjectSelection: Hashable, Sendable {
  public var type: ResourceType
  /// Nil: all namespaces.
  public var namespace: String?
  /// As `labelSelector=` takes it: `app=x,tier in (a,b)`.
  public var labelSelector: String?
  /// As `fieldSelector=` takes it: `metadata.name=x`.
  public var fieldSelector: String?

  public init(
    _ type: ResourceType, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil
  ) {
    self.type = type
    self.namespace = namespace
    self.labelSelector = labelSelector
    self.fieldSelector = fieldSelector
  }

  var path: String { type.collectionPath(namespace: namespace) }

  var query: [KubernetesRequest.QueryItem] {
    var items: [KubernetesRequest.QueryItem] = []
    if let fieldSelector { items.append(.init("fieldSelector", fieldSelector)) }
    if let labelSelector { items.append(.init("labelSelector", labelSelector)) }
    return items
  }
}

/// One page of a list.
public struct ObjectPage: Hashable, Sendable {
  public var items: [KubernetesObject]
  /// Of the whole list: where a watch starts.
  public var resourceVersion: String
  /// Where the next page starts; nil on the last.
  public var continueToken: String?

  public init(items: [KubernetesObject], resourceVersion: String, continueToken: String? = nil) {
    self.items = items
    self.resourceVersion = resourceVersion
    self.continueToken = continueToken
  }

  /// Reads a `…List`; its items get the `apiVersion` and `kind` that lists of built-in types leave out.
  init(json: JSONValue, type: ResourceType) {
    items = (json["items"]?.arrayValue ?? []).map { item in
      var item = item
      if item["kind"] == nil {
        item["kind"] = .string(type.kind)
        item["apiVersion"] = .string(type.apiVersion)
      }
      return KubernetesObject(item)
    }
    resourceVersion = json["metadata"]?["resourceVersion"]?.stringValue ?? ""
    let token = json["metadata"]?["continue"]?.stringValue ?? ""
    continueToken = token.isEmpty ? nil : token
  }
}
