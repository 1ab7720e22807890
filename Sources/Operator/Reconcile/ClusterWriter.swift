import KubernetesAPI
import KubernetesClient

/// Every write that the controller makes, and nothing else. Each is a server-side apply by one field manager, a change of
/// `/scale`, or has a precondition.
struct ClusterWriter: Sendable {
  var client: KubernetesClient

  /// Why an object of ours cannot be made.
  struct NotOurs: Error, CustomStringConvertible {
    var kind: String
    var key: ObjectKey
    var description: String {
      "\(kind) \(key) is there and belongs to something else: remove it, or rename the service"
    }
  }

  /// Applies an object. It is read first: nobody else's object of the same name is taken over, and a Deployment's replicas
  /// must not get lost.
  ///
  /// A Deployment begins with no replica; afterwards only `/scale` changes their number. As long as nobody has scaled it, the
  /// field is still ours by server-side apply, and to apply without it would remove it: that would mean one replica.
  func apply(
    _ type: ResourceType, _ wanted: KubernetesObject, owner: OwnerReference
  ) async throws -> KubernetesObject {
    let live = try await client.find(type, wanted.key)
    if let live, live.metadata.controller?.uid != owner.uid { throw NotOurs(kind: type.kind, key: wanted.key) }
    var wanted = wanted
    if type == .deployments {
      if let live {
        if ObjectDrift.ownsReplicas(live) { wanted.spec["replicas"] = JSONValue(Deployment(live).replicas) }
      } else {
        wanted.spec["replicas"] = 0
      }
    }
    return try await client.apply(type, wanted, fieldManager: DesiredObjects.fieldManager)
  }

  /// Sets a pool's replicas. Down only from what was seen: victims were chosen from it.
  /// - Parameter pods: the pool's pods, by UID.
  func scale(_ change: PoolScale, _ deployment: KubernetesObject, pods: [String: String]) async throws {
    if change.to < change.from && change.to > 0 {
      for victim in change.victims {
        guard let name = pods[victim] else { continue }
        try await cheapen(victim, ObjectKey(namespace: deployment.metadata.namespace, name: name))
      }
    }
    _ = try await client.setScale(
      .deployments, deployment.key, replicas: change.to,
      resourceVersion: change.to < change.from ? deployment.metadata.resourceVersion : nil)
  }

  /// The ReplicaSet controller deletes the cheapest first.
  private func cheapen(_ uid: String, _ pod: ObjectKey) async throws {
    let change: JSONValue = [
      "metadata": ["uid": .string(uid), "annotations": ["controller.kubernetes.io/pod-deletion-cost": "-1000"]]
    ]
    do {
      _ = try await client.patch(.pods, pod, .merge(change))
    } catch let status as KubernetesStatus where status.isNotFound || status.isConflict {
      // It went by itself, or another has its name: the next round sees it.
    }
  }

  func writeStatus(of service: KubernetesObject, _ type: ResourceType, _ status: JSONValue) async throws {
    var object = KubernetesObject(type, service.key)
    object.status = status
    _ = try await client.apply(
      type, object, fieldManager: DesiredObjects.fieldManager, subresource: "status")
  }

  /// Deletes an object of ours, and what it owns.
  func delete(_ type: ResourceType, _ live: KubernetesObject) async throws {
    do {
      _ = try await client.delete(type, live.key, preconditions: DeletionPreconditions(uid: live.metadata.uid))
    } catch let status as KubernetesStatus where status.isNotFound || status.isConflict {
      // Gone, or another has its name.
    }
  }

  /// Deletes an activation Lease unless a gateway renewed it since it was read: then somebody is held again.
  func deleteLease(_ lease: KubernetesObject) async throws {
    do {
      _ = try await client.delete(
        .leases, lease.key, preconditions: DeletionPreconditions(resourceVersion: lease.metadata.resourceVersion))
    } catch let status as KubernetesStatus where status.isNotFound || status.isConflict {
      // Gone, or renewed.
    }
  }
}
