import InferenceAPI
import KubernetesAPI

/// One generation of a service, read once: its owner's wishes and the objects that they ask for.
struct KnownService {
  var uid: String
  var generation: Int
  var settingsVersion: Int
  var intent: ServiceIntent
  var deployments: PerPool<KubernetesObject>
  var services: PerPool<KubernetesObject>
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
    deployments = PerPool(
      dedicated: DesiredObjects.deployment(intent, .dedicated), burst: DesiredObjects.deployment(intent, .burst))
    services = PerPool(
      dedicated: DesiredObjects.service(intent, .dedicated), burst: DesiredObjects.service(intent, .burst))
    budget = DesiredObjects.disruptionBudget(intent)
  }

  func isOf(_ service: KubernetesObject) -> Bool {
    service.metadata.uid == uid && service.metadata.generation == generation
  }
}
