import ControllerRuntime
import FleetProtocol
import FoundationEssentials
import Gateway
import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry

/// Makes wakes durable: writes and renews activation Leases, off the data path.
///
/// A wish is queued by service, so that any number of them is one write; a write that fails is tried again with back-off.
/// Whether it succeeds or not, requests stay held.
public final class ActivationWriter: WakeSignal, ControllerRuntime.Service {
  private let client: KubernetesClient
  private let clock: any ClockSource
  private let log: Log
  private let namespace: String
  private let identity: String
  private let queue: WorkQueue<ServiceKey>
  private let heldSince = Mutex<[ServiceKey: Double]>([:])
  /// Writes at the same time: as many models as these may wait for a slow API server.
  private static let workers = 8

  /// - Parameters:
  ///   - namespace: Pilotlight's own, where the Leases are.
  ///   - identity: this gateway's name, the Leases' holder.
  public init(client: KubernetesClient, clock: any ClockSource, log: Log, namespace: String, identity: String) {
    self.client = client
    self.clock = clock
    self.log = log
    self.namespace = namespace
    self.identity = identity
    queue = WorkQueue(clock: clock)
  }

  public func wake(_ service: ServiceKey, heldSinceUnix: Double) {
    heldSince.withLock { $0[service] = heldSinceUnix }
    queue.add(service)
  }

  public func run() async throws {
    let controller = Controller(
      name: "activation", queue: queue, workers: Self.workers, log: log, reconcile: { [self] in await write($0) })
    try await controller.run()
  }

  private func write(_ service: ServiceKey) async -> Outcome {
    guard let since = heldSince.withLock({ $0.removeValue(forKey: service) }) else { return .done }
    let lease = lease(for: service, heldSince: since)
    do {
      do {
        _ = try await client.create(.leases, lease)
        log.info("asked for a wake", ["service": service.description])
      } catch let status as KubernetesStatus where status.reason == "AlreadyExists" {
        let renewal: JSONValue = ["spec": ["renewTime": lease.spec["renewTime"] ?? .null]]
        _ = try await client.patch(.leases, lease.key, .merge(renewal))
      }
      return .done
    } catch is CancellationError {
      return .done
    } catch {
      heldSince.withLock { if $0[service] == nil { $0[service] = since } }
      return .retry(reason: String(describing: error))
    }
  }

  private func lease(for service: ServiceKey, heldSince: Double) -> KubernetesObject {
    let now = Timestamp.microseconds(clock.now().wall)
    let key = ObjectKey(
      namespace: namespace, name: ActivationLease.name(namespace: service.namespace, name: service.name))
    var object = KubernetesObject(.leases, key)
    object.metadata.labels = [ActivationLease.label: ActivationLease.labelValue]
    object.metadata.annotations = [
      ActivationLease.namespaceAnnotation: service.namespace, ActivationLease.nameAnnotation: service.name,
      ActivationLease.heldSinceAnnotation: String(heldSince),
    ]
    var lease = Lease(object)
    lease.holderIdentity = identity
    lease.leaseDurationSeconds = ActivationLease.durationSeconds
    lease.acquireTime = now
    lease.renewTime = now
    return lease.object
  }
}
