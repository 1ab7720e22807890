import KubernetesAPI

/// A valid `serving.pilotlight.dev/v1alpha1 InferenceService`: one model, its pools, and how it scales.
public struct InferenceService: Hashable, Sendable {
  /// The object as it was read, whole.
  public let object: KubernetesObject
  /// With every static default.
  public let spec: InferenceServiceSpec
  /// Number of the container port that serves.
  public let port: Int

  public static let resourceType = ResourceType(
    group: "serving.pilotlight.dev", version: "v1alpha1", resource: "inferenceservices", kind: "InferenceService")

  /// What to say when an API server does not know the type.
  public static let absenceAdvice =
    "the InferenceService CRD is not installed: kubectl apply --server-side -f Manifests/crd"

  /// Defaults and checks the spec: an object may have been stored under an older schema, or by an API server without ours.
  public init(_ object: KubernetesObject) throws(InvalidInferenceService) {
    let read: JSONValue = [
      "metadata": ["name": .string(object.metadata.name)], "spec": object.json["spec"] ?? [:],
    ]
    let value = Self.schema.defaulted(Self.schema.pruned(read))
    let causes = Self.schema.violations(in: value)
    guard causes.isEmpty else { throw InvalidInferenceService(causes: causes) }
    let spec = InferenceServiceSpec(defaulted: value["spec"] ?? [:])
    guard let port = PodTemplate.port(spec.model.port, in: spec.template) else {
      let message = "Invalid value: no container port says where requests go"
      throw InvalidInferenceService(causes: [
        .init(reason: "FieldValueInvalid", message: message, field: "spec.template.spec.containers")
      ])
    }
    self.object = object
    self.spec = spec
    self.port = port
  }

  public var key: ObjectKey { object.key }
}

/// Why an object is no InferenceService that can be acted on.
public struct InvalidInferenceService: Error, Hashable, Sendable, CustomStringConvertible {
  public let causes: [KubernetesStatus.Cause]
  /// Field and complaint of each cause, on one line.
  public var description: String { causes.map { "\($0.field): \($0.message)" }.joined(separator: "; ") }
}
