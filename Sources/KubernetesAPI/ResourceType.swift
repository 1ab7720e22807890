/// A kind of object and where it lives in the API: group, version, plural name, kind, scope.
public struct ResourceType: Hashable, Sendable {
  /// "" is the core group.
  public var group: String
  public var version: String
  /// Plural, as in URLs: `deployments`.
  public var resource: String
  public var kind: String
  public var isNamespaced: Bool

  public init(group: String, version: String, resource: String, kind: String, isNamespaced: Bool = true) {
    self.group = group
    self.version = version
    self.resource = resource
    self.kind = kind
    self.isNamespaced = isNamespaced
  }

  /// Every look into a store by type comes by here: the plural name tells types apart, and equality compares all of it.
  public func hash(into hasher: inout Hasher) { hasher.combine(resource) }

  /// `apps/v1`, or `v1` for the core group.
  public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

  /// `deployments.apps`, or `pods` for the core group: how the API server's messages name it.
  public var qualifiedResource: String { group.isEmpty ? resource : "\(resource).\(group)" }

  /// URL path of the collection: `/apis/apps/v1/namespaces/NS/deployments`; without a namespace, of all namespaces.
  public func collectionPath(namespace: String?) -> String {
    let base = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
    if isNamespaced, let namespace { return "\(base)/namespaces/\(namespace)/\(resource)" }
    return "\(base)/\(resource)"
  }

  /// URL path of one object.
  public func path(_ key: ObjectKey) -> String { "\(collectionPath(namespace: key.namespace))/\(key.name)" }
}

extension ResourceType {
  public static let namespaces = ResourceType(
    group: "", version: "v1", resource: "namespaces", kind: "Namespace", isNamespaced: false)
  public static let nodes = ResourceType(
    group: "", version: "v1", resource: "nodes", kind: "Node", isNamespaced: false)
  public static let pods = ResourceType(group: "", version: "v1", resource: "pods", kind: "Pod")
  public static let services = ResourceType(group: "", version: "v1", resource: "services", kind: "Service")
  public static let secrets = ResourceType(group: "", version: "v1", resource: "secrets", kind: "Secret")
  public static let configMaps = ResourceType(group: "", version: "v1", resource: "configmaps", kind: "ConfigMap")
  public static let events = ResourceType(group: "", version: "v1", resource: "events", kind: "Event")
  public static let deployments = ResourceType(
    group: "apps", version: "v1", resource: "deployments", kind: "Deployment")
  public static let replicaSets = ResourceType(
    group: "apps", version: "v1", resource: "replicasets", kind: "ReplicaSet")
  public static let endpointSlices = ResourceType(
    group: "discovery.k8s.io", version: "v1", resource: "endpointslices", kind: "EndpointSlice")
  public static let leases = ResourceType(
    group: "coordination.k8s.io", version: "v1", resource: "leases", kind: "Lease")
  public static let podDisruptionBudgets = ResourceType(
    group: "policy", version: "v1", resource: "poddisruptionbudgets", kind: "PodDisruptionBudget")
  public static let customResourceDefinitions = ResourceType(
    group: "apiextensions.k8s.io", version: "v1", resource: "customresourcedefinitions",
    kind: "CustomResourceDefinition", isNamespaced: false)
}

/// Namespace and name of an object; the namespace is "" for cluster-scoped ones.
public struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
  public var namespace: String
  public var name: String
  public init(namespace: String = "", name: String) {
    self.namespace = namespace
    self.name = name
  }
  /// `namespace/name`, or the name alone.
  public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
  public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
    (left.namespace, left.name) < (right.namespace, right.name)
  }
}
