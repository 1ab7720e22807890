import KubernetesAPI

extension InferenceService {
  /// `spec.model`.
  static let modelSchema = SchemaNode.object(
    "The model as callers see it.",
    [
      (
        "name",
        .text(
          "The name by which the server in the pods knows the model (vLLM: --served-model-name). Callers may use it too. Default: metadata.name.",
          min: 1, max: 253)
      ),
      (
        "aliases",
        .list(
          "Other names callers may use; the gateway replaces them by name.", .set, max: 32,
          of: .text(nil, min: 1, max: 253))
      ),
      (
        "adapters",
        .list(
          "Adapters (LoRA) the server has loaded by itself. Requests for one are passed on with its name as it is.",
          .map, keys: ["name"], max: 64,
          of: .object(nil, required: ["name"], [("name", .text("Name of the adapter.", min: 1, max: 253))]))
      ),
      ("protocol", .choice("What the server speaks.", InferenceProtocol.words, default: "OpenAI")),
      (
        "port",
        .intOrString(
          "Number or name of the container port that serves. Default: the first port of the first container.",
          maxLength: 63
        ).checked(by: .portNumber)
      ),
      (
        "healthPath",
        .text(
          "The gateway sends a pod no request before GET on this path answered 2xx. Default by protocol: /health, or /v1/models where that is not found (OpenAI); /v2/health/ready (OpenInference); /v1/models/NAME (KServeV1); a TCP connection (HTTP).",
          max: 512
        ).checked(by: .absolutePath)
      ),
      (
        "hostnames",
        .list(
          "Further host names under which the gateway serves this model, besides NAME.NAMESPACE.DOMAIN.", .set, max: 16,
          of: .text(nil, min: 1, max: 253).checked(by: .dnsName))
      ),
    ]
  ).withDefaultOfMembers().checked(by: .aliasesAreNoAdapters)
}
