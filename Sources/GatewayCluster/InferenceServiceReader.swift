import Gateway
import KubernetesAPI

/// Reads of an InferenceService what a gateway routes by. Defaults are those of the schema; the API server has filled them
/// in, so they only matter for objects made by hand.
struct InferenceServiceReader {
  private let object: KubernetesObject
  private let spec: JSONValue

  init(_ object: KubernetesObject) {
    self.object = object
    spec = object.spec
  }

  /// The route, without replicas.
  var route: ServiceRoute {
    let model = spec["model"]
    return ServiceRoute(
      key: ServiceKey(namespace: object.metadata.namespace, name: object.metadata.name),
      created: object.metadata.creationTimestamp, modelName: model?["name"]?.stringValue,
      aliases: texts(model?["aliases"]),
      adapters: (model?["adapters"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue },
      hostnames: texts(model?["hostnames"]),
      modelProtocol: model?["protocol"]?.stringValue.flatMap(ModelProtocol.init(rawValue:)) ?? .openAI,
      healthPath: model?["healthPath"]?.stringValue,
      maxHeld: spec["queue"]?["maxRequests"]?.intValue ?? 1000,
      maxWait: duration(spec["queue"]?["maxWait"]) ?? .seconds(600), order: order,
      responseTimeout: duration(spec["timeouts"]?["response"]) ?? .seconds(600), refusal: refusal,
      drainEpoch: object.status["drain"]?["epoch"]?.intValue ?? 0,
      coldStartHint: duration(object.status["coldStart"]?["p50"]))
  }

  private var order: [Pool] {
    guard let words = spec["routing"]?["order"]?.arrayValue else { return [.dedicated, .burst] }
    return words.compactMap { $0.stringValue.flatMap { Pool(rawValue: $0.lowercased()) } }
  }

  /// Reasons of `Ready=False` that a wait does not mend; after a failed wake only the back-off's end does.
  private static let finalReasons: Set<String> = [
    "UnsupportedField", "Suspended", "TemplateInvalid", "NoCapacity", "CrashLoopBackOff",
  ]

  private var refusal: Refusal? {
    if spec["suspend"]?.boolValue == true {
      return Refusal(reason: "Suspended", message: "spec.suspend is true: requests are refused", always: true)
    }
    // What is said of an older generation may be wrong of this one.
    guard let ready = object.condition("Ready"), ready.status == "False",
      object.status["observedGeneration"]?.intValue == object.metadata.generation
    else { return nil }
    let next = object.status["lastDecision"]?["inputs"]?["nextAttempt"]?.stringValue.flatMap(Timestamp.parse)
    if Self.finalReasons.contains(ready.reason), ready.reason != "CrashLoopBackOff" || next == nil {
      return Refusal(reason: ready.reason, message: ready.message, always: ready.reason == "UnsupportedField")
    }
    return next.map { Refusal(reason: ready.reason, message: ready.message, nextAttempt: $0) }
  }

  private func texts(_ value: JSONValue?) -> [String] { (value?.arrayValue ?? []).compactMap(\.stringValue) }

  private func duration(_ value: JSONValue?) -> Duration? { value?.stringValue.flatMap { Duration(resourceText: $0) } }
}
