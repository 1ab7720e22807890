import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  /// One round of what the garbage collector and the namespace controller do: deletes dependents whose owners are gone, finishes
  /// foreground and orphaning deletions, empties and removes terminating namespaces.
  /// - Returns: whether anything changed; call again until nothing does.
  public mutating func collectGarbage(now: Date) -> Bool {
    let before = resourceVersion
    for uid in ownership.absentOwners.sorted() { releaseDependents(of: uid, now: now) }
    for reference in ownership.waiting.sorted() { finishDeletion(of: reference, now: now) }
    for name in ownership.terminatingNamespaces.sorted() { empty(namespace: name, now: now) }
    return resourceVersion != before
  }

  /// Dependents of an absent owner go, unless another owner of theirs is there: then only the reference goes.
  private mutating func releaseDependents(of uid: String, now: Date) {
    for reference in ownership.dependents(of: uid) {
      guard let dependent = object(reference.type, reference.key), let definition = definition(reference.type) else {
        continue
      }
      let owners = dependent.metadata.ownerReferences
      if owners.contains(where: { ownership.objects[$0.uid] != nil }) {
        removeOwner(uid, from: dependent, type: reference.type)
      } else if !dependent.metadata.isBeingDeleted {
        _ = try? delete(definition, reference.key, options: DeleteOptions(uid: dependent.metadata.uid), now: now)
      }
    }
  }

  private mutating func removeOwner(_ uid: String, from dependent: KubernetesObject, type: ResourceType) {
    var object = dependent
    object.metadata.ownerReferences.removeAll { $0.uid == uid }
    _ = commit(object, replacing: dependent, type: type)
  }

  private mutating func finishDeletion(of reference: ObjectReference, now: Date) {
    guard let owner = object(reference.type, reference.key) else { return }
    let dependents = ownership.dependents(of: owner.metadata.uid)
    if owner.metadata.finalizers.contains(Finalizer.orphan) {
      for dependent in dependents {
        guard let found = object(dependent.type, dependent.key) else { continue }
        removeOwner(owner.metadata.uid, from: found, type: dependent.type)
      }
      removeFinalizer(Finalizer.orphan, from: reference)
      return
    }
    var isBlocked = false
    for dependent in dependents {
      guard let found = object(dependent.type, dependent.key), let definition = definition(dependent.type) else {
        continue
      }
      let mine = found.metadata.ownerReferences.first { $0.uid == owner.metadata.uid }
      if !found.metadata.isBeingDeleted {
        let options = DeleteOptions(propagation: .foreground, uid: found.metadata.uid)
        _ = try? delete(definition, dependent.key, options: options, now: now)
      }
      let isThere = object(dependent.type, dependent.key) != nil
      if isThere, mine?.json["blockOwnerDeletion"]?.boolValue == true { isBlocked = true }
    }
    if !isBlocked { removeFinalizer(Finalizer.foreground, from: reference) }
  }

  private mutating func removeFinalizer(_ name: String, from reference: ObjectReference) {
    guard let present = object(reference.type, reference.key) else { return }
    var object = present
    let rest = present.metadata.finalizers.filter { $0 != name }
    object.metadata.json["finalizers"] = rest.isEmpty ? nil : JSONValue(rest)
    if isReadyToGo(object) {
      _ = remove(object, type: reference.type)
    } else {
      _ = commit(object, replacing: present, type: reference.type)
    }
  }

  /// Deletes all that is left in a namespace; when nothing is, the namespace itself goes.
  private mutating func empty(namespace: String, now: Date) {
    var isEmpty = true
    for definition in definitions where definition.type.isNamespaced {
      for key in Array(collection(definition.type).keys(in: namespace)) {
        guard let found = object(definition.type, key) else { continue }
        if !found.metadata.isBeingDeleted {
          _ = try? delete(definition, key, options: DeleteOptions(propagation: .background), now: now)
        }
        if object(definition.type, key) != nil { isEmpty = false }
      }
    }
    guard isEmpty, let present = object(.namespaces, ObjectKey(name: namespace)) else { return }
    var object = present
    object.spec["finalizers"] = nil
    if isReadyToGo(object) {
      _ = remove(object, type: .namespaces)
    } else if object != present {
      _ = commit(object, replacing: present, type: .namespaces)
    }
  }
}
