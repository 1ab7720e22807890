import ControllerRuntime
import FleetProtocol
import KubernetesAPI
import KubernetesClient
import Telemetry

/// Tells the controller a gateway's public key, by a Lease that goes with the gateway's pod (``GatewayKeyLease``).
public struct GatewayKeyPublisher: ControllerRuntime.Service {
  private let client: KubernetesClient
  private let clock: any ClockSource
  private let log: Log
  private let lease: Lease

  /// Waits between attempts while the API server does not take it: doubling, up to the ceiling.
  static let backoff = (base: Duration.milliseconds(200), ceiling: Duration.seconds(10))
  /// How long a Lease that somebody removed is missed. What has not changed is not written by the API server.
  static let interval: Duration = .seconds(600)

  /// - Parameters:
  ///   - namespace: Pilotlight's own, where the Lease is.
  ///   - identity: this gateway's name, as its EndpointSlice has it.
  ///   - podUID: the pod's, which owns the Lease: it is removed with it. Nil: nobody does.
  ///   - key: the one it speaks TLS with.
  public init(
    client: KubernetesClient, clock: any ClockSource, log: Log, namespace: String, identity: String, podUID: String?,
    key: GatewayKey
  ) {
    self.client = client
    self.clock = clock
    self.log = log
    var object = KubernetesObject(.leases, ObjectKey(namespace: namespace, name: identity))
    object.metadata.labels = [GatewayKeyLease.label: GatewayKeyLease.labelValue]
    object.metadata.annotations = [GatewayKeyLease.keyAnnotation: key.pin]
    if let podUID {
      object.metadata.ownerReferences = [
        OwnerReference(json: [
          "apiVersion": "v1", "kind": "Pod", "name": .string(identity), "uid": .string(podUID),
        ])
      ]
    }
    var lease = Lease(object)
    lease.holderIdentity = identity
    self.lease = lease
  }

  /// Publishes at once, and again and again, until it is cancelled.
  public func run() async throws {
    while true {
      try await publish()
      try await clock.sleep(for: Self.interval)
    }
  }

  /// Tries until the API server has it.
  private func publish() async throws {
    var wait = Self.backoff.base
    var said: String?
    while true {
      do {
        return try await write()
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        // Each reason once, not with each attempt.
        if said != "\(error)" {
          said = "\(error)"
          log.warning(
            "the gateway's key is not published, the controller cannot read its load",
            ["lease": lease.object.key.name, "error": "\(error)"])
        }
      }
      try await clock.sleep(for: wait)
      wait = min(Self.backoff.ceiling, wait * 2)
    }
  }

  private func write() async throws {
    do {
      _ = try await client.create(.leases, lease.object)
      log.info("key published", ["lease": lease.object.key.name])
    } catch let status as KubernetesStatus where status.reason == "AlreadyExists" {
      // Of the process before in the same pod. Its owner stays: to change that would take the right to delete Leases.
      let metadata: JSONValue = [
        "labels": JSONValue(lease.object.metadata.labels), "annotations": JSONValue(lease.object.metadata.annotations),
      ]
      _ = try await client.patch(.leases, lease.object.key, .merge(["metadata": metadata]))
    }
  }
}
