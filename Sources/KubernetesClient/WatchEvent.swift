import KubernetesAPI

/// What a watch tells.
public enum WatchEvent: Hashable, Sendable {
  case added(KubernetesObject)
  case modified(KubernetesObject)
  /// With the object's last state.
  case deleted(KubernetesObject)
  /// Nothing changed up to this resource version.
  case bookmark(resourceVersion: String)
  /// The watch cannot go on; 410 means that the resource version is too old. The stream ends after it.
  case error(KubernetesStatus)

  /// Reads one line of a watch: `{"type":"ADDED","object":{…}}`.
  /// - Throws: ``TransportError`` when it is none.
  init(line: some Collection<UInt8>) throws {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: line)
    } catch {
      throw TransportError(.malformed, "a watch sent a line that is no JSON: \(error)")
    }
    guard let type = json["type"]?.stringValue, let object = json["object"] else {
      throw TransportError(.malformed, "a watch sent a line without type or object")
    }
    try self.init(type: type, object: object)
  }

  /// - Parameters:
  ///   - type: as in the line of a watch: `ADDED`.
  ///   - object: a Status with `ERROR`.
  /// - Throws: ``TransportError`` for a type that is not known.
  public init(type: String, object: JSONValue) throws {
    switch type {
    case "ADDED": self = .added(KubernetesObject(object))
    case "MODIFIED": self = .modified(KubernetesObject(object))
    case "DELETED": self = .deleted(KubernetesObject(object))
    case "BOOKMARK":
      self = .bookmark(resourceVersion: object["metadata"]?["resourceVersion"]?.stringValue ?? "")
    case "ERROR":
      self = .error(
        KubernetesStatus(json: object)
          ?? KubernetesStatus(code: 500, reason: "", message: "a watch ended with an error without a status"))
    default:
      throw TransportError(
        .malformed, "a watch sent an event of type \(type); ADDED, MODIFIED, DELETED, BOOKMARK and ERROR are known")
    }
  }
}
