import InferenceAPI
import KubernetesAPI

/// One generation of a service, read once: its owner's wishes and the objects that they ask for.
struct KnownService {
  var uid: String
  var generation: Int
  var settingsVersion: Int
  var intent: ServiceIntent
  /// Nil: the canary's, where the owner wants none.
  var deployments: PerPool<KubernetesObject?>
  var services: PerPool<KubernetesObject?>
  var budget: KubernetesObject

  /// - Throws: `InvalidInferenceService`.
  init(
    _ service: KubernetesObject, _ settings: InstallationSettings = InstallationSettings(), version: Int = 0,
    timeZones: any TimeZoneSource
  ) throws(InvalidInferenceService) {
    let intent = try ServiceIntent(service, settings, timeZones: timeZones)
    settingsVersion = version
    self.intent = intent
    uid = service.metadata.uid
    generation = service.metadata.generation
    // Most services have no canary: the controller keeps none of its objects in memory for them.
    func object(_ pool: Pool, _ make: (ServiceIntent, Pool) -> KubernetesObject) -> KubernetesObject? {
      pool == .canary && intent.rollout.steps.isEmpty ? nil : make(intent, pool)
    }
    deployments = PerPool { object($0, DesiredObjects.deployment) }
    services = PerPool { object($0, DesiredObjects.service) }
    budget = DesiredObjects.disruptionBudget(intent)
  }

  func isOf(_ service: KubernetesObject) -> Bool {
    service.metadata.uid == uid && service.metadata.generation == generation
  }

  /// Names the template that a pool's pods are to have; nil: no such pool is wanted.
  func templateHash(_ pool: Pool) -> JSONValue? {
    deployments[pool].flatMap { Deployment($0).template[path: DesiredObjects.templateHashPath] }
  }
}
