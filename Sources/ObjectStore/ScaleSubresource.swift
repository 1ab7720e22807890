import KubernetesAPI

/// `autoscaling/v1 Scale` of an object.
enum ScaleSubresource {
  static let type = ResourceType(group: "autoscaling", version: "v1", resource: "scales", kind: "Scale")

  static let definition = ResourceDefinition(
    type: type, hasStatus: false,
    columns: [
      TableColumn("Desired", type: "integer", jsonPath: ".spec.replicas"),
      TableColumn("Available", type: "integer", jsonPath: ".status.replicas"), .age,
    ], schema: nil, isCustom: false)

  /// - Throws: 500 when the object says no number of replicas, as custom resources may.
  static func scale(
    of object: KubernetesObject, _ mapping: ScaleMapping, isStrict: Bool = true
  ) throws(KubernetesStatus) -> JSONValue {
    let replicas = object.json[path: mapping.specReplicas]?.intValue
    if isStrict, replicas == nil {
      let path = "." + mapping.specReplicas.joined(separator: ".")
      throw .internalError("the spec replicas field \"\(path)\" does not exist")
    }
    let metadata = object.json.metadataMembers.filter {
      ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"].contains($0.key)
    }
    var status: JSONValue = ["replicas": JSONValue(object.json[path: mapping.statusReplicas]?.intValue ?? 0)]
    if let path = mapping.selector, let selector = object.json[path: path] {
      let text = selector.stringValue ?? LabelSelector(json: selector)?.text ?? ""
      if !text.isEmpty { status["selector"] = .string(text) }
    }
    return [
      "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": .object(metadata),
      "spec": replicas.map { ["replicas": JSONValue($0)] } ?? [:], "status": status,
    ]
  }

  /// The object with the replicas of a Scale that a client sends.
  static func object(
    _ object: KubernetesObject, scaledBy scale: JSONValue, _ mapping: ScaleMapping
  ) throws(KubernetesStatus) -> JSONValue {
    let replicas = scale[path: ["spec", "replicas"]]?.intValue ?? 0
    guard replicas >= 0 else {
      throw .invalid(
        type, object.metadata.name,
        [.invalid("spec.replicas", JSONValue(replicas), "must be greater than or equal to 0")])
    }
    var json = object.json
    json[path: mapping.specReplicas] = JSONValue(replicas)
    json.metadataMembers["resourceVersion"] = scale[path: ["metadata", "resourceVersion"]]
    if let uid = scale[path: ["metadata", "uid"]] { json.metadataMembers["uid"] = uid }
    return json
  }
}
