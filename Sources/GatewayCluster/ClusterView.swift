import ControllerRuntime
import FleetProtocol
import Gateway
import InferenceAPI
import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry

/// Keeps a gateway's view equal to the cluster: watches InferenceServices and EndpointSlices, and swaps in a new view when
/// one of them changed.
///
/// The first view is given when all have been read; with the API server away the last one stays.
public final class ClusterView: ControllerRuntime.Service {
  private let builder: RoutingViewBuilder
  private let fixedDomain: String?
  private let services: Informer
  private let slices: Informer
  private let gatewaySlices: Informer
  private let settings: InstalledSettings
  private let publish: @Sendable (RoutingView) -> Void
  private let changes = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

  /// - Parameters:
  ///   - domain: Nil: the one of the installation's settings.
  ///   - namespace: Pilotlight's own, where the gateways' Service and the settings are.
  ///   - apply: takes the settings when they change, before the view that rests on them.
  ///   - publish: takes each new view; called from one task.
  public init(
    client: KubernetesClient, clock: any ClockSource, log: Log, identity: String, domain: String? = nil,
    upstreamTLS: UpstreamTLS = UpstreamTLS(), namespace: String = ActivationLease.defaultNamespace,
    apply: @escaping @Sendable (InstallationSettings) -> Void = { _ in },
    publish: @escaping @Sendable (RoutingView) -> Void
  ) {
    builder = RoutingViewBuilder(
      domain: domain ?? InstallationSettings.defaultDomain, identity: identity, upstreamTLS: upstreamTLS)
    fixedDomain = domain
    settings = InstalledSettings(client: client, namespace: namespace, clock: clock, log: log, apply: apply)
    self.publish = publish
    services = Informer(
      client: client, selection: ObjectSelection(InferenceService.resourceType), clock: clock, log: log,
      absenceAdvice: InferenceService.absenceAdvice)
    slices = Informer(
      client: client,
      selection: ObjectSelection(.endpointSlices, labelSelector: Labels.service), clock: clock, log: log)
    gatewaySlices = Informer(
      client: client,
      selection: ObjectSelection(
        .endpointSlices, namespace: namespace,
        labelSelector: "kubernetes.io/service-name=\(RoutingViewBuilder.gatewayServiceName)"),
      clock: clock, log: log)
    for informer in [services, slices, gatewaySlices, settings.informer] {
      informer.onChange { [continuation = changes.continuation] _ in continuation.yield() }
    }
  }

  /// Whether the first view was given.
  public var hasSynced: Bool { informers.allSatisfy(\.hasSynced) }

  private var informers: [Informer] { [services, slices, gatewaySlices, settings.informer] }

  /// Why there is no view yet, for people; nil when there is one: it serves, whatever became of the API server since.
  public var problem: String? { hasSynced ? nil : informers.lazy.compactMap(\.problem).first }

  public func run() async throws {
    try await ServiceGroup(informers + [ClosureService { try await self.follow() }]).run()
  }

  private func follow() async throws {
    for informer in informers { try await informer.waitForSync() }
    var builder = builder
    publish(view(&builder))
    // Changes that come while a view is built are in the next one together.
    for await _ in changes.stream { publish(view(&builder)) }
    try Task.checkCancellation()
  }

  private func view(_ builder: inout RoutingViewBuilder) -> RoutingView {
    builder.domain = fixedDomain ?? settings.current.domain ?? InstallationSettings.defaultDomain
    return builder.view(
      services: services.store.list(), slices: slices.store.list(), gatewaySlices: gatewaySlices.store.list())
  }
}
