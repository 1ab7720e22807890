import KubernetesAPI

/// Whether an object has to be applied again.
enum ObjectDrift {
  /// The live object carries all that is wanted: the hash of what was applied last is that of now, and nobody has changed a
  /// field that we set. Fields that we do not set are others' business.
  static func isSettled(_ live: KubernetesObject, wanted: KubernetesObject) -> Bool {
    guard
      live.metadata.annotations[DesiredObjects.hashAnnotation]
        == wanted.metadata.annotations[DesiredObjects.hashAnnotation]
    else { return false }
    return contains(live.json, wanted.json)
  }

  /// `live` has every member of `wanted`, at any depth; lists must agree element by element.
  static func contains(_ live: JSONValue, _ wanted: JSONValue) -> Bool {
    switch (live, wanted) {
    case (.object(let present), .object(let members)):
      members.allSatisfy { key, value in present[key].map { contains($0, value) } ?? isEmpty(value) }
    case (.array(let present), .array(let elements)):
      present.count == elements.count && zip(present, elements).allSatisfy { contains($0, $1) }
    default: live == wanted
    }
  }

  /// The API server leaves empty members out.
  private static func isEmpty(_ value: JSONValue) -> Bool {
    switch value {
    case .null: true
    case .object(let members): members.isEmpty
    case .array(let elements): elements.isEmpty
    case .string(let text): text.isEmpty
    default: false
    }
  }

  /// `spec.replicas` is still ours by server-side apply: nobody has scaled since we made the object. To apply without it
  /// would remove it, and a Deployment without it has one replica.
  static func ownsReplicas(_ live: KubernetesObject) -> Bool {
    (live.metadata.json["managedFields"]?.arrayValue ?? []).contains { entry in
      entry["manager"]?.stringValue == DesiredObjects.fieldManager && entry["operation"]?.stringValue == "Apply"
        && entry["subresource"]?.stringValue ?? "" == ""
        && entry[path: ["fieldsV1", "f:spec", "f:replicas"]] != nil
    }
  }
}
