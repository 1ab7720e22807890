import KubernetesAPI

extension ResourceDefinition {
  /// The built-in types of Kubernetes that Pilotlight and `kubectl` use.
  public static let builtIn: [ResourceDefinition] = [
    .init(type: .namespaces, shortNames: ["ns"], hasStatus: true, columns: [.age], schema: nil, isCustom: false),
    .init(type: .nodes, shortNames: ["no"], hasStatus: true, columns: [.age], schema: nil, isCustom: false),
    .init(
      type: .pods, shortNames: ["po"], categories: ["all"], hasStatus: true, columns: [.age], schema: nil,
      isCustom: false),
    .init(
      type: .services, shortNames: ["svc"], categories: ["all"], hasStatus: true, columns: [.age], schema: nil,
      isCustom: false),
    .init(type: .secrets, columns: [.age], schema: nil, isCustom: false),
    .init(type: .configMaps, shortNames: ["cm"], columns: [.age], schema: nil, isCustom: false),
    .init(type: .events, shortNames: ["ev"], columns: [.age], schema: nil, isCustom: false),
    .init(
      type: .deployments, shortNames: ["deploy"], categories: ["all"], hasStatus: true,
      scale: ScaleMapping(
        specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas",
        labelSelectorPath: ".spec.selector"), columns: [.age], schema: nil, isCustom: false),
    .init(
      type: .replicaSets, shortNames: ["rs"], categories: ["all"], hasStatus: true,
      scale: ScaleMapping(
        specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas",
        labelSelectorPath: ".spec.selector"), columns: [.age], schema: nil, isCustom: false),
    .init(type: .endpointSlices, columns: [.age], schema: nil, isCustom: false),
    .init(type: .leases, columns: [.age], schema: nil, isCustom: false),
    .init(
      type: .podDisruptionBudgets, shortNames: ["pdb"], hasStatus: true, columns: [.age], schema: nil,
      isCustom: false),
    .init(
      type: .customResourceDefinitions, shortNames: ["crd", "crds"], hasStatus: true, columns: [.age], schema: nil,
      isCustom: false),
  ]
}
