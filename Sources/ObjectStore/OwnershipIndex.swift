import KubernetesAPI

/// One object by type and key.
struct ObjectReference: Hashable, Comparable, Sendable {
  var type: ResourceType
  var key: ObjectKey

  static func < (left: ObjectReference, right: ObjectReference) -> Bool {
    (left.type.group, left.type.resource, left.key) < (right.type.group, right.type.resource, right.key)
  }
}

/// Who owns whom by uid, and whose dependents garbage collection has still to look at.
struct OwnershipIndex: Sendable {
  private(set) var objects: [String: ObjectReference] = [:]
  private var dependentsByOwner: [String: Set<ObjectReference>] = [:]
  /// Owners that are gone or were never there, with dependents.
  private(set) var absentOwners: Set<String> = []
  /// Objects being deleted that wait for garbage collection: foreground or orphan finalizer.
  private(set) var waiting: Set<ObjectReference> = []
  private(set) var terminatingNamespaces: Set<String> = []

  func dependents(of uid: String) -> [ObjectReference] { (dependentsByOwner[uid] ?? []).sorted() }

  mutating func record(
    _ object: KubernetesObject, replacing previous: KubernetesObject?, as reference: ObjectReference
  ) {
    let metadata = object.metadata
    objects[metadata.uid] = reference
    let owners = metadata.ownerReferences.map(\.uid)
    let former = previous?.metadata.ownerReferences.map(\.uid) ?? []
    if owners != former {
      for owner in former { removeDependent(reference, of: owner) }
      for owner in owners {
        dependentsByOwner[owner, default: []].insert(reference)
        if objects[owner] == nil { absentOwners.insert(owner) }
      }
    }
    guard metadata.isBeingDeleted else { return }
    if metadata.finalizers.contains(where: Finalizer.isForGarbageCollection) {
      waiting.insert(reference)
    } else {
      waiting.remove(reference)
    }
    if reference.type == .namespaces { terminatingNamespaces.insert(metadata.name) }
  }

  mutating func forget(_ object: KubernetesObject, as reference: ObjectReference) {
    let metadata = object.metadata
    objects[metadata.uid] = nil
    waiting.remove(reference)
    for owner in metadata.ownerReferences { removeDependent(reference, of: owner.uid) }
    if dependentsByOwner[metadata.uid] != nil { absentOwners.insert(metadata.uid) }
    if reference.type == .namespaces { terminatingNamespaces.remove(metadata.name) }
  }

  private mutating func removeDependent(_ reference: ObjectReference, of owner: String) {
    dependentsByOwner[owner]?.remove(reference)
    if dependentsByOwner[owner]?.isEmpty == true {
      dependentsByOwner[owner] = nil
      absentOwners.remove(owner)
    }
  }
}

/// Finalizers that the API server itself sets.
enum Finalizer {
  static let foreground = "foregroundDeletion"
  static let orphan = "orphan"
  /// In `spec.finalizers` of a namespace.
  static let namespace = "kubernetes"

  static func isForGarbageCollection(_ name: String) -> Bool { name == foreground || name == orphan }
}
