import KubernetesAPI

/// What a URL names: a collection, an object or one of its subresources.
struct ResourcePath: Sendable {
  var definition: ResourceDefinition
  /// Nil: all namespaces, or a cluster-scoped resource.
  var namespace: String?
  /// Nil: the collection.
  var name: String?
  var subresource: String?

  var type: ResourceType { definition.type }
  var key: ObjectKey { ObjectKey(namespace: namespace ?? "", name: name ?? "") }
}

extension ObjectStore {
  /// Nil where nothing is served.
  func resourcePath(_ segments: [String]) -> ResourcePath? {
    var rest = segments[...]
    guard let root = rest.popFirst() else { return nil }
    var group = ""
    if root == "apis" { group = rest.popFirst() ?? "" } else if root != "api" { return nil }
    guard let version = rest.popFirst() else { return nil }
    var namespace: String?
    let second = rest.first == "namespaces" ? rest.dropFirst(2).first : nil
    // `namespaces/NS/status` is a namespace's own subresource, `namespaces/NS/pods` a collection inside it.
    if let second, !(rest.count == 3 && (second == "status" || second == "finalize")) {
      namespace = rest[rest.startIndex + 1]
      rest = rest.dropFirst(2)
    }
    guard let resource = rest.popFirst(),
      let definition = definition(group: group, version: version, resource: resource),
      definition.type.isNamespaced || namespace == nil
    else { return nil }
    let name = rest.popFirst()
    let subresource = rest.popFirst()
    guard rest.isEmpty, name == nil || definition.type.isNamespaced == (namespace != nil) else { return nil }
    return ResourcePath(definition: definition, namespace: namespace, name: name, subresource: subresource)
  }
}
