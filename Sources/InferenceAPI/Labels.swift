/// Labels and annotations that Pilotlight sets.
public enum Labels {
  /// Everything that starts with this is Pilotlight's; templates may not set it.
  public static let prefix = "serving.pilotlight.dev/"
  /// On Deployments, their pods and Services: the name of the InferenceService.
  public static let service = "serving.pilotlight.dev/service"
  /// On the same objects: `dedicated`, `burst` or `canary`.
  public static let pool = "serving.pilotlight.dev/pool"
  /// Kubernetes' own name for who manages an object.
  public static let managedBy = "app.kubernetes.io/managed-by"
  /// The value of ``managedBy``.
  public static let manager = "pilotlight"
}
