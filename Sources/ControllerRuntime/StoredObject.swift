import KubernetesAPI

/// How an index keeps its objects.
public enum ObjectForm: Hashable, Sendable {
  /// As values: read at once, and three to five times the size of their JSON text.
  case value
  /// As JSON text, which is parsed when it is read: for many objects of which few are looked at.
  case text
}

/// An object as it is kept, with what an index asks of it most.
public struct StoredObject: Hashable, Sendable {
  private enum Content: Hashable, Sendable {
    case value(KubernetesObject)
    case text([UInt8])
  }

  public let key: ObjectKey
  let resourceVersion: String
  private let content: Content

  public init(_ object: KubernetesObject, as form: ObjectForm = .value) {
    key = object.key
    resourceVersion = object.metadata.resourceVersion
    content =
      switch form {
      case .value: .value(object)
      case .text: .text(object.json.bytes)
      }
  }

  var form: ObjectForm {
    switch content {
    case .value: .value
    case .text: .text
    }
  }

  /// The object; of one that is kept as text a new value each time.
  public var object: KubernetesObject {
    switch content {
    case .value(let object): return object
    case .text(let bytes):
      // The text is our own writer's.
      guard let json = try? JSONValue(parsing: bytes) else { preconditionFailure("\(key) is kept as broken JSON") }
      return KubernetesObject(json)
    }
  }
}
