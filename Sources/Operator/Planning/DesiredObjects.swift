import Decisions
import InferenceAPI
import KubernetesAPI

/// The objects that a service is made of, as they are applied.
enum DesiredObjects {
  static let fieldManager = "pilotlight"
  /// Hash of what was applied last: a field that we stop to set is found by it.
  static let hashAnnotation = "serving.pilotlight.dev/applied-hash"

  /// The Deployment of a pool without `spec.replicas`: only `/scale` changes that.
  static func deployment(_ intent: ServiceIntent, _ pool: Pool) -> KubernetesObject {
    var object = base(
      .deployments, intent, name: pool.deploymentName(of: intent.key.name), labels: labels(intent, pool))
    object.spec = [
      "selector": ["matchLabels": JSONValue(labels(intent, pool))],
      "template": template(intent, pool),
      "progressDeadlineSeconds": JSONValue(progressDeadline(intent)),
      "revisionHistoryLimit": 3,
      "strategy": [
        "type": "RollingUpdate",
        "rollingUpdate": ["maxSurge": intent.maxSurge, "maxUnavailable": intent.maxUnavailable],
      ],
    ]
    return stamped(object)
  }

  /// The headless Service of a pool: its EndpointSlices tell gateways where the pool's pods are.
  static func service(_ intent: ServiceIntent, _ pool: Pool) -> KubernetesObject {
    var object = base(.services, intent, name: pool.deploymentName(of: intent.key.name), labels: labels(intent, pool))
    object.spec = [
      "clusterIP": "None",
      "selector": JSONValue(labels(intent, pool)),
      "ports": [["name": "http", "port": 80, "targetPort": intent.port, "protocol": "TCP"]],
    ]
    return stamped(object)
  }

  /// One budget over all pods: a drained node takes one replica at a time, and an unready one never blocks it.
  static func disruptionBudget(_ intent: ServiceIntent) -> KubernetesObject {
    let labels = [Labels.service: intent.key.name]
    var object = base(.podDisruptionBudgets, intent, name: intent.key.name, labels: labels)
    object.spec = [
      "maxUnavailable": 1, "selector": ["matchLabels": JSONValue(labels)], "unhealthyPodEvictionPolicy": "AlwaysAllow",
    ]
    return stamped(object)
  }

  static func labels(_ intent: ServiceIntent, _ pool: Pool) -> [String: String] {
    [Labels.service: intent.key.name, Labels.pool: pool.rawValue]
  }

  private static func base(
    _ type: ResourceType, _ intent: ServiceIntent, name: String, labels: [String: String]
  ) -> KubernetesObject {
    var object = KubernetesObject(type, ObjectKey(namespace: intent.key.namespace, name: name))
    var labels = labels
    labels[Labels.managedBy] = Labels.manager
    object.metadata.labels = labels
    object.metadata.ownerReferences = [intent.owner]
    return object
  }

  private static func template(_ intent: ServiceIntent, _ pool: Pool) -> JSONValue {
    var template = intent.templates[pool]
    // A pod that is deleted finishes its streams first; 30 s on top for the server's own shutdown.
    let grace = Int(intent.drainTimeout.inSeconds.rounded(.up)) + 30
    template[path: ["spec", "terminationGracePeriodSeconds"]] = JSONValue(grace)
    template[path: ["metadata", "annotations", templateHashAnnotation]] = .string(contentHash(template))
    return template
  }

  /// On a pod template and its pods: which of them are of the present one.
  static let templateHashAnnotation = "serving.pilotlight.dev/template-hash"
  static let templateHashPath = ["metadata", "annotations", templateHashAnnotation]

  /// The API server wants it above `minReadySeconds`, which is 0 here.
  private static func progressDeadline(_ intent: ServiceIntent) -> Int {
    max(1, Int(intent.startupTimeout.inSeconds.rounded(.up)))
  }

  private static func stamped(_ object: KubernetesObject) -> KubernetesObject {
    var object = object
    object.metadata.annotations[hashAnnotation] = contentHash(object.json)
    return object
  }
}

/// FNV-1a, 64 bits, of a value's sorted JSON, in hexadecimal: a change detector, not a secret.
func contentHash(_ value: JSONValue) -> String {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for byte in value.bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
  return String(hash, radix: 16)
}
