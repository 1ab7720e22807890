import FoundationEssentials
import KubernetesAPI

/// How a deletion ended for now.
enum Deletion {
  /// The object is gone; its last state.
  case gone(KubernetesObject)
  /// Finalizers, dependents or a grace period hold it.
  case pending(KubernetesObject)

  var object: KubernetesObject {
    switch self {
    case .gone(let object), .pending(let object): object
    }
  }
}

extension ObjectStore {
  /// Deletes an object, or begins to: finalizers, foreground propagation and grace periods keep it for a while.
  mutating func delete(
    _ definition: ResourceDefinition, _ key: ObjectKey, options: DeleteOptions, now: Date
  ) throws(KubernetesStatus) -> Deletion {
    let type = definition.type
    guard let present = object(type, key) else { throw .notFound(type, key.name) }
    try checkPreconditions(options, present, type: type)
    var object = present
    object.metadata.json["finalizers"] = finalizers(of: present, options: options)
    markDeleted(&object, grace: graceSeconds(present, definition, options), now: now)
    if type == .namespaces { object.json[path: ["status", "phase"]] = "Terminating" }
    if isReadyToGo(object) {
      return .gone(options.isDryRun ? present : remove(present, type: type))
    }
    if options.isDryRun || object == present { return .pending(object) }
    return .pending(commit(object, replacing: present, type: type))
  }

  private func checkPreconditions(
    _ options: DeleteOptions, _ present: KubernetesObject, type: ResourceType
  ) throws(KubernetesStatus) {
    let metadata = present.metadata
    if let uid = options.uid, uid != metadata.uid {
      throw .conflict(
        type, metadata.name,
        "the UID in the precondition (\(uid)) does not match the UID in record (\(metadata.uid)). "
          + "The object might have been deleted and then recreated")
    }
    if let version = options.resourceVersion, version != metadata.resourceVersion {
      throw .conflict(
        type, metadata.name,
        "the ResourceVersion in the precondition (\(version)) does not match the ResourceVersion in record "
          + "(\(metadata.resourceVersion)). The object might have been modified")
    }
  }

  private func finalizers(of object: KubernetesObject, options: DeleteOptions) -> JSONValue? {
    var names = object.metadata.finalizers
    if let propagation = options.propagation {
      names.removeAll(where: Finalizer.isForGarbageCollection)
      switch propagation {
      case .foreground: names.append(Finalizer.foreground)
      case .orphan: names.append(Finalizer.orphan)
      case .background: break
      }
    }
    return names.isEmpty ? nil : JSONValue(names)
  }

  private func graceSeconds(
    _ object: KubernetesObject, _ definition: ResourceDefinition, _ options: DeleteOptions
  ) -> Int {
    let own = definition.behaviour.gracePeriod(object)
    // A type without graceful deletion ignores what the client wishes.
    if own == 0 { return 0 }
    return max(0, options.gracePeriodSeconds ?? own)
  }

  /// Sets the deletion time; a deletion under way can only be brought forward.
  private func markDeleted(_ object: inout KubernetesObject, grace: Int, now: Date) {
    var metadata = object.metadata.json
    if metadata["deletionTimestamp"] != nil {
      guard grace < metadata["deletionGracePeriodSeconds"]?.intValue ?? 0 else { return }
    } else if let generation = metadata["generation"]?.intValue {
      metadata["generation"] = JSONValue(generation + 1)
    }
    metadata["deletionTimestamp"] = .string(Timestamp.seconds(now.addingTimeInterval(Double(grace))))
    metadata["deletionGracePeriodSeconds"] = JSONValue(grace)
    object.metadata.json = metadata
  }
}
