import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  /// Performs an operation for a part of the same process: the same rules as over HTTP, without its encodings.
  /// Unknown fields are dropped. The result of a delete is the object's last or pending state.
  public mutating func apply(
    _ operation: ObjectOperation, now: Date
  ) -> Result<KubernetesObject, KubernetesStatus> {
    do { return .success(try perform(operation, now: now)) } catch { return .failure(error) }
  }

  private mutating func perform(
    _ operation: ObjectOperation, now: Date
  ) throws(KubernetesStatus) -> KubernetesObject {
    let type = operation.type
    guard let definition = definition(type) else { throw .notFound(type, "") }
    var options = WriteOptions(fieldManager: operation.fieldManager, subresource: operation.subresource)
    switch operation.action {
    case .get(let key):
      guard let object = object(type, key) else { throw .notFound(type, key.name) }
      return object
    case .create(let object):
      return try create(
        definition, object.json, namespace: object.metadata.namespace, options: options, now: now)
    case .update(let object):
      return try update(definition, object.key, options: options, now: now) { _ throws(KubernetesStatus) in
        (object.json, nil)
      }
    case .mergePatch(let key, let patch):
      return try update(definition, key, options: options, now: now) { present throws(KubernetesStatus) in
        (present.json.mergePatched(with: patch), nil)
      }
    case .apply(let object, let force):
      options.isForced = force
      return try apply(definition, object.key, config: object.json, options: options, now: now).object
    case .delete(let key, let deletion):
      return try delete(definition, key, options: deletion, now: now).object
    }
  }
}
