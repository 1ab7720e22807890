import KubernetesAPI

/// A column of `kubectl get`.
public struct PrinterColumn: Hashable, Sendable {
  public let name: String
  /// `string`, `integer` or `date`.
  public let type: String
  public let jsonPath: String
  /// Above 0: with `-o wide` only.
  public let priority: Int

  init(_ name: String, _ type: String, _ jsonPath: String, priority: Int = 0) {
    self.name = name
    self.type = type
    self.jsonPath = jsonPath
    self.priority = priority
  }
}

extension InferenceService {
  public static let listKind = "InferenceServiceList"
  public static let singular = "inferenceservice"
  public static let shortNames = ["infsvc"]
  public static let categories = ["all", "pilotlight"]

  /// After NAME.
  public static let printerColumns = [
    PrinterColumn("State", "string", ".status.display.state"),
    PrinterColumn("Dedicated", "string", ".status.display.dedicated"),
    PrinterColumn("Burst", "string", ".status.display.burst"),
    PrinterColumn("Held", "integer", ".status.load.held"),
    PrinterColumn("RPM", "integer", ".status.load.requestsPerMinute"),
    PrinterColumn("Saved", "string", ".status.display.saved"),
    PrinterColumn("URL", "string", ".status.url"),
    PrinterColumn("Canary", "string", ".status.display.canary", priority: 1),
    PrinterColumn("Decision", "string", ".status.display.decision", priority: 1),
    PrinterColumn("Why", "string", ".status.conditions[?(@.type==\"Ready\")].message", priority: 1),
    PrinterColumn("Age", "date", ".metadata.creationTimestamp"),
  ]

  /// Paths of the scale subresource.
  public static let scalePaths = (
    specReplicas: ".spec.dedicated.replicas", statusReplicas: ".status.dedicated.replicas",
    labelSelector: ".status.selector"
  )

  /// Fields that a field selector may name.
  public static let selectableFields = [".spec.model.protocol", ".spec.suspend", ".status.display.state"]

  /// The CustomResourceDefinition, as it is applied to a cluster.
  public static let customResourceDefinition: JSONValue = [
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": ["name": .string(resourceType.qualifiedResource)],
    "spec": [
      "group": .string(resourceType.group), "scope": "Namespaced",
      "names": [
        "kind": .string(resourceType.kind), "listKind": .string(listKind), "plural": .string(resourceType.resource),
        "singular": .string(singular), "shortNames": JSONValue(shortNames), "categories": JSONValue(categories),
      ],
      "versions": [version],
    ],
  ]

  /// The same as a file: `Manifests/crd/inferenceservices.yaml`.
  public static let customResourceDefinitionManifest =
    "# Printed by `pilotlight crd`. The source is Sources/InferenceAPI.\n" + BlockYAML.text(customResourceDefinition)

  private static let version: JSONValue = [
    "name": .string(resourceType.version), "served": true, "storage": true,
    "schema": ["openAPIV3Schema": schema.openAPI],
    "subresources": [
      "status": [:],
      "scale": [
        "specReplicasPath": .string(scalePaths.specReplicas), "statusReplicasPath": .string(scalePaths.statusReplicas),
        "labelSelectorPath": .string(scalePaths.labelSelector),
      ],
    ],
    "selectableFields": .array(selectableFields.map { ["jsonPath": .string($0)] }),
    "additionalPrinterColumns": .array(printerColumns.map(json(of:))),
  ]

  private static func json(of column: PrinterColumn) -> JSONValue {
    var json: JSONValue = [
      "name": .string(column.name), "type": .string(column.type), "jsonPath": .string(column.jsonPath),
    ]
    if column.priority > 0 { json["priority"] = JSONValue(column.priority) }
    return json
  }
}
