import ControllerRuntime
import FleetProtocol
import InferenceAPI
import KubernetesAPI
import KubernetesClient
import Telemetry

/// The controller's copy of the cluster: what it watches, and how it is looked up.
struct ClusterView: Sendable {
  let services: Informer
  let deployments: Informer
  let pods: Informer
  let headless: Informer
  let budgets: Informer
  let leases: Informer
  let gatewayKeys: Informer
  let gateways: Informer
  let settings: Informer

  /// - Parameter seed: of the informers' jitter.
  init(client: KubernetesClient, namespace: String, clock: any ClockSource, log: Log, seed: UInt64) {
    var seeds = SeededGenerator(seed: seed)
    // Of what there is for each service, most is at rest, and a round reads what it needs.
    func informer(
      _ selection: ObjectSelection, indexed: [String] = [], as form: ObjectForm = .text, absenceAdvice: String? = nil
    ) -> Informer {
      Informer(
        client: client, selection: selection, clock: clock, log: log, absenceAdvice: absenceAdvice,
        indexedLabels: indexed, configuration: InformerMachine.Configuration(form: form, label: Labels.service),
        seed: seeds.next())
    }
    let label = Labels.service
    services = informer(
      ObjectSelection(InferenceService.resourceType), absenceAdvice: InferenceService.absenceAdvice)
    deployments = informer(ObjectSelection(.deployments, labelSelector: label))
    pods = informer(ObjectSelection(.pods, labelSelector: label), indexed: [label], as: .value)
    headless = informer(ObjectSelection(.services, labelSelector: label))
    budgets = informer(ObjectSelection(.podDisruptionBudgets, labelSelector: label))
    leases = informer(
      ObjectSelection(.leases, namespace: namespace, labelSelector: ActivationLease.labelSelector))
    gatewayKeys = informer(
      ObjectSelection(.leases, namespace: namespace, labelSelector: GatewayKeyLease.labelSelector))
    gateways = informer(
      ObjectSelection(
        .endpointSlices, namespace: namespace,
        labelSelector: "kubernetes.io/service-name=\(GatewayDirectory.serviceName)"))
    settings = informer(
      ObjectSelection(.configMaps, namespace: namespace, fieldSelector: InstallationSettings.fieldSelector), as: .value)
  }

  var informers: [Informer] {
    [services, deployments, pods, headless, budgets, leases, gatewayKeys, gateways, settings]
  }

  /// Returns once every first list is complete: nothing is decided before.
  func waitForSync() async throws { for informer in informers { try await informer.waitForSync() } }

  func deployment(_ key: ObjectKey, _ pool: Pool) -> KubernetesObject? {
    deployments.store[ObjectKey(namespace: key.namespace, name: pool.deploymentName(of: key.name))]
  }

  /// Pods of one pool, sorted by name.
  func pods(_ key: ObjectKey, _ pool: Pool) -> [Pod] {
    pods.store.list(
      namespace: key.namespace,
      labels: [Labels.service: key.name, Labels.pool: pool.rawValue]
    ).map(Pod.init)
  }

  func lease(_ key: ObjectKey, in namespace: String) -> KubernetesObject? {
    leases.store[
      ObjectKey(
        namespace: namespace, name: ActivationLease.name(namespace: key.namespace, name: key.name))]
  }

  /// How to talk to the gateway at an address, as of now.
  func gateway(at address: String, in namespace: String, requiresTLS: Bool) -> GatewayTarget {
    GatewayDirectory.target(address, in: gateways.store.list(), requiresTLS: requiresTLS) {
      gatewayKeys.store[ObjectKey(namespace: namespace, name: $0)]
    }
  }

  /// The service that a changed object of a pool belongs to.
  static func service(of change: ObjectChange) -> ObjectKey? {
    change.label.map { ObjectKey(namespace: change.key.namespace, name: $0) }
  }

  /// The service that an activation Lease wakes.
  static func service(ofLease lease: KubernetesObject) -> ObjectKey? {
    let annotations = lease.metadata.annotations
    guard let namespace = annotations[ActivationLease.namespaceAnnotation],
      let name = annotations[ActivationLease.nameAnnotation]
    else { return nil }
    return ObjectKey(namespace: namespace, name: name)
  }
}
