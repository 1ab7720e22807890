import KubernetesAPI

extension InferenceService {
  /// `spec.template`: typed only where the gateway must read it or server-side apply must merge it.
  static let templateSchema = SchemaNode.object(
    "The pods that serve the model: the same for both pools, but for their overrides. Checked by a dry run of the Deployment; see condition TemplateValid.",
    required: ["spec"],
    [
      (
        "metadata",
        .object(
          "Labels and annotations of the pods.",
          [("labels", labels("Labels of the pods.")), ("annotations", annotations("Annotations of the pods."))])
      ),
      (
        "spec",
        .opaque(
          "A Kubernetes pod spec: service account, image pull secrets, volumes, probes and the rest belong here. See: kubectl explain pod.spec",
          required: ["containers"],
          [
            (
              "containers",
              .list(
                "At least one; the first serves the model.", .map, keys: ["name"], min: 1, max: 16, of: container)
            )
          ])
      ),
    ])

  private static let container = SchemaNode.opaque(
    "A Kubernetes container. See: kubectl explain pod.spec.containers", required: ["name"],
    [
      ("name", .text("Name of the container.", min: 1, max: 63)),
      ("image", .text("Image of the container.", max: 512)),
      ("env", environment("Environment.", max: 256)),
      (
        "ports",
        .list(
          "Ports of the container. The first port of the first container is the one that serves, unless spec.model.port says otherwise.",
          .atomic, max: 16,
          of: .opaque(
            "As in a container.", required: ["containerPort"],
            [
              ("name", .text("Name of the port.", max: 15)),
              ("containerPort", .integer("Number of the port.", 1...65535)),
            ]))
      ),
    ])

  /// `env` of a container.
  static func environment(_ description: String, max: Int) -> SchemaNode {
    .list(
      description, .map, keys: ["name"], max: max,
      of: .opaque(
        "As in a container: value or valueFrom.", required: ["name"],
        [("name", .text("Name of the variable.", min: 1, max: 253))]))
  }

  /// Labels that a user may set on pods: not ours.
  static func labels(_ description: String) -> SchemaNode {
    annotations(description).checked(by: .labelsAreNotReserved)
  }

  /// A map of strings.
  static func annotations(_ description: String) -> SchemaNode {
    .map(description, max: 64, of: .text(nil, max: 4096))
  }
}
