import KubernetesAPI
import KubernetesClient

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
  /// The value of the label that the informer keeps apart.
  public let label: String?
  private let content: Content

  /// - Parameter label: the name of the label whose value is kept apart.
  public init(_ object: KubernetesObject, as form: ObjectForm = .value, label: String? = nil) {
    key = object.key
    resourceVersion = object.metadata.resourceVersion
    self.label = label.flatMap { object.json[path: ["metadata", "labels", $0]]?.stringValue }
    content =
      switch form {
      case .value: .value(object)
      // Of exactly its size, without the room that writing left.
      case .text: .text(object.json.bytes.withUnsafeBufferPointer { Array($0) })
      }
  }

  /// An object of a list that was read as text.
  public init(_ object: ObjectText) {
    key = object.key
    resourceVersion = object.resourceVersion
    label = object.label
    content = .text(object.text)
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
      // The text was checked, or is our own writer's.
      guard let json = try? JSONValue(parsing: bytes) else { preconditionFailure("\(key) is kept as broken JSON") }
      return KubernetesObject(json)
    }
  }
}

/// One page of a list as an index keeps it.
public struct StoredPage: Hashable, Sendable {
  public var items: [StoredObject]
  /// Of the whole list: where a watch starts.
  public var resourceVersion: String
  /// Where the next page starts; nil on the last.
  public var continueToken: String?

  public init(_ page: ObjectPage, as form: ObjectForm = .value, label: String? = nil) {
    items = page.items.map { StoredObject($0, as: form, label: label) }
    resourceVersion = page.resourceVersion
    continueToken = page.continueToken
  }

  public init(_ page: ObjectTextPage) {
    items = page.items.map { StoredObject($0) }
    resourceVersion = page.resourceVersion
    continueToken = page.continueToken
  }
}
