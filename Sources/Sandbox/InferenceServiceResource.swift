import InferenceAPI
import KubernetesAPI
import ObjectStore

extension ResourceDefinition {
  /// InferenceService as its CustomResourceDefinition describes it.
  static let inferenceServices: ResourceDefinition = {
    var definition = ResourceDefinition(
      type: InferenceService.resourceType, singular: InferenceService.singular,
      shortNames: InferenceService.shortNames, categories: InferenceService.categories, hasStatus: true,
      scale: ScaleMapping(
        specReplicasPath: InferenceService.scalePaths.specReplicas,
        statusReplicasPath: InferenceService.scalePaths.statusReplicas,
        labelSelectorPath: InferenceService.scalePaths.labelSelector),
      columns: InferenceService.printerColumns.map {
        TableColumn($0.name, type: $0.type, jsonPath: $0.jsonPath, priority: $0.priority)
      },
      schema: InferenceService.schema)
    for path in InferenceService.selectableFields {
      let names = path.split(separator: ".").map(String.init)
      definition.behaviour.selectableFields[names.joined(separator: ".")] = { object in
        switch object.json[path: names] {
        case .string(let text)?: text
        case let value?: value.text
        case nil: ""
        }
      }
    }
    return definition
  }()
}
