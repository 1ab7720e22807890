/// How a gateway writes down that a sleeping model has a caller: a Lease (`coordination.k8s.io/v1`) in Pilotlight's own
/// namespace. Gateways create and renew it; only the controller deletes it.
public enum ActivationLease {
  public static let label = "serving.pilotlight.dev/activation"
  public static let labelValue = "true"
  /// Selects activation Leases and nothing else.
  public static let labelSelector = "\(label)=\(labelValue)"
  public static let namespaceAnnotation = "serving.pilotlight.dev/service-namespace"
  public static let nameAnnotation = "serving.pilotlight.dev/service-name"
  /// Wall time of the held request's arrival, in seconds since 1970.
  public static let heldSinceAnnotation = "serving.pilotlight.dev/held-since"
  /// Namespace that Pilotlight lives in unless it is told another.
  public static let defaultNamespace = "pilotlight-system"
  /// `spec.leaseDurationSeconds`: a gateway that still holds renews well within it.
  public static let durationSeconds = 60

  /// Name of the Lease of one service: `<namespace>.<name>`. A namespace has no dot, so names cannot collide.
  public static func name(namespace: String, name: String) -> String { "\(namespace).\(name)" }
}
