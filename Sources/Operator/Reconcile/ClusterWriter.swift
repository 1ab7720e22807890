import InferenceAPI
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
  /// field is still ours by server-side apply, and to apply without it would remove it: that would mean one replica. A scale
  /// that arrives meanwhile must win: we name the version that we read, and do not force what we believe to be new.
  func apply(
    _ type: ResourceType, _ wanted: KubernetesObject, owner: OwnerReference
  ) async throws -> KubernetesObject {
    let live = try await client.find(type, wanted.key)
    if let live, live.metadata.controller?.uid != owner.uid { throw NotOurs(kind: type.kind, key: wanted.key) }
    var wanted = wanted
    // One that has gone since must not come back by this: it would begin as no object of ours begins.
    if let live { wanted.json[path: ["metadata", "uid"]] = .string(live.metadata.uid) }
    if type == .deployments {
      if let live {
        if ObjectDrift.ownsReplicas(live) {
          wanted.spec["replicas"] = JSONValue(Deployment(live).replicas)
          wanted.json[path: ["metadata", "resourceVersion"]] = .string(live.metadata.resourceVersion)
        }
      } else {
        wanted.spec["replicas"] = 0
      }
    }
    return try await client.apply(type, wanted, fieldManager: DesiredObjects.fieldManager, force: live != nil)
  }

  /// What was planned from is not what is there: a watch is behind.
  struct StaleView: Error, CustomStringConvertible {
    var deployment: ObjectKey
    var description: String { "the pods of \(deployment) are not those that were seen: the scale-down is planned anew" }
  }

  /// Sets a pool's replicas, only from what was seen.
  func scale(
    _ change: PoolScale, _ deployment: ObjectKey, seen: PoolObservation, _ service: ObjectKey
  ) async throws {
    if change.to > change.from { return try await raise(change, deployment, seen.resourceVersion) }
    // Two watches are never equally fresh: the Deployment may be of now, and the pods of long ago.
    guard let pods = try await pods(asSeen: seen, change.pool, service) else { throw StaleView(deployment: deployment) }
    if change.to > 0 { try await mark(change.victims, among: pods) }
    _ = try await client.setScale(
      .deployments, deployment, replicas: change.to, resourceVersion: seen.resourceVersion)
  }

  /// Scales up, whatever else changed meanwhile; but an old view must not make a fall of a rise.
  private func raise(_ change: PoolScale, _ deployment: ObjectKey, _ seen: String) async throws {
    do {
      _ = try await client.setScale(.deployments, deployment, replicas: change.to, resourceVersion: seen)
    } catch let conflict as KubernetesStatus where conflict.isConflict {
      guard let live = try await client.find(.deployments, deployment), Deployment(live).replicas < change.to else {
        throw conflict
      }
      _ = try await client.setScale(
        .deployments, deployment, replicas: change.to, resourceVersion: live.metadata.resourceVersion)
    }
  }

  /// The pool's live pods, if they are those that were seen and none of them has become ready since.
  private func pods(asSeen seen: PoolObservation, _ pool: Pool, _ service: ObjectKey) async throws -> [Pod]? {
    let selector = "\(Labels.service)=\(service.name),\(Labels.pool)=\(pool.rawValue)"
    let pods = try await client.list(.pods, namespace: service.namespace, labelSelector: selector).items
      .map(Pod.init).filter { PodObservation($0).isLive }
    let ready = Set(seen.live.lazy.filter(\.isReady).map(\.uid))
    let isSame =
      Set(pods.map(\.uid)) == Set(seen.live.map(\.uid)) && pods.allSatisfy { !$0.isReady || ready.contains($0.uid) }
    return isSame ? pods : nil
  }

  private static let deletionCost = "controller.kubernetes.io/pod-deletion-cost"
  private static let victimsCost = "-1000"

  /// The ReplicaSet controller deletes the cheapest first: these, and no others. Marks of a scale-down that was not made in the
  /// end are taken off, or who has one might go instead.
  private func mark(_ victims: [String], among pods: [Pod]) async throws {
    for pod in pods {
      let isMarked = pod.object.metadata.annotations[Self.deletionCost] == Self.victimsCost
      if victims.contains(pod.uid) {
        try await setCost(of: pod, .string(Self.victimsCost))
      } else if isMarked {
        try await setCost(of: pod, .null)
      }
    }
  }

  private func setCost(of pod: Pod, _ cost: JSONValue) async throws {
    let change: JSONValue = ["metadata": ["uid": .string(pod.uid), "annotations": [Self.deletionCost: cost]]]
    do {
      _ = try await client.patch(.pods, pod.object.key, .merge(change))
    } catch let status as KubernetesStatus where status.isNotFound {
      // It went by itself: the next round sees it. A conflict may be of two writes at once: who is not marked would stay, and
      // another go.
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
    do { try await deleteLeaseForGood(lease) } catch let status as KubernetesStatus where status.isConflict {
      // Renewed.
    }
  }

  /// The same where nobody may be held any more. - Throws: also when it was renewed: it must be tried again.
  func deleteLeaseForGood(_ lease: KubernetesObject) async throws {
    do {
      _ = try await client.delete(
        .leases, lease.key, preconditions: DeletionPreconditions(resourceVersion: lease.metadata.resourceVersion))
    } catch let status as KubernetesStatus where status.isNotFound {
      // Gone.
    }
  }
}
