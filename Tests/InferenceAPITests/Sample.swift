import KubernetesAPI

@testable import InferenceAPI

/// Objects for tests.
enum Sample {
  static let template: JSONValue = [
    "spec": ["containers": [["name": "server", "image": "x:1", "ports": [["name": "http", "containerPort": 8000]]]]]
  ]

  /// An object with a template and these further fields of the spec.
  static func object(_ spec: JSONValue = [:], name: String = "sample") -> JSONValue {
    var spec = spec
    spec["template"] = spec["template"] ?? template
    return [
      "apiVersion": "serving.pilotlight.dev/v1alpha1", "kind": "InferenceService",
      "metadata": ["name": .string(name), "namespace": "default"], "spec": spec,
    ]
  }

  static func service(_ spec: JSONValue = [:]) throws -> InferenceService {
    try InferenceService(KubernetesObject(object(spec)))
  }

  /// What the schema says of an object, as `kubectl` prints it: `field: message`.
  static func complaints(_ object: JSONValue) -> [String] {
    let schema = InferenceService.schema
    return schema.violations(in: schema.defaulted(schema.pruned(object))).map { "\($0.field): \($0.message)" }
  }
}
