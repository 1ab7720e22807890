import EventLoop
import FoundationEssentials
import Glibc
import KubernetesAPI
import ObjectStore
import Telemetry

/// The node's agent: runs the pods that are bound to this node as processes of this machine, and reports on them.
///
/// Confined to the sandbox's loop.
final class Kubelet {
  static let component = "kubelet"

  let cluster: Cluster
  let reaper: Reaper?
  let probes: UpstreamPool
  /// Variables that a container image would bring: PATH and such.
  let imageEnvironment: [String: String]
  /// Where commands run that name no `workingDir`.
  let workingDirectory: String?
  /// Probes wait for their period, as a real kubelet's do.
  let probesByPeriod: Bool
  private let stateFolder: String
  private var workers: [String: PodWorker] = [:]
  private var addresses = LoopbackAddresses()

  var loop: EventLoop { cluster.loop }

  init(
    cluster: Cluster, reaper: Reaper?, stateFolder: String, imageEnvironment: [String: String],
    workingDirectory: String?, probesByPeriod: Bool
  ) {
    self.cluster = cluster
    self.reaper = reaper
    self.stateFolder = stateFolder
    self.imageEnvironment = imageEnvironment
    self.workingDirectory = workingDirectory
    self.probesByPeriod = probesByPeriod
    probes = UpstreamPool(loop: cluster.loop, maxIdlePerTarget: 0)
  }

  /// Takes changes of the store in.
  func observe(_ changes: [ControlPlane.Change]) {
    for change in changes {
      switch change.type {
      case .pods: observePod(change.event)
      case .secrets, .configMaps:
        let namespace = change.event.object.metadata.namespace
        for worker in sortedWorkers where worker.pod.metadata.namespace == namespace {
          worker.handle(.referencesChanged)
        }
      default: break
      }
    }
  }

  /// Ends every process at once.
  func shutDown() {
    for worker in sortedWorkers { worker.remove() }
    workers = [:]
    addresses.releaseAll()
  }

  /// The worker of a pod by name; nil when the pod does not run here.
  func worker(_ key: ObjectKey) -> PodWorker? { sortedWorkers.first { $0.pod.key == key } }

  private var sortedWorkers: [PodWorker] { workers.sorted { $0.key < $1.key }.map(\.value) }

  private func observePod(_ event: WatchEvent) {
    let pod = event.object
    let uid = pod.metadata.uid
    if event.kind == .deleted {
      guard let worker = workers.removeValue(forKey: uid) else { return }
      worker.remove()
      addresses.release(worker.address)
    } else if let worker = workers[uid] {
      worker.update(pod)
    } else if Pod(pod).nodeName == SandboxNode.name, !Pod(pod).isFinished {
      start(pod)
    }
  }

  private func start(_ pod: KubernetesObject) {
    if pod.metadata.isBeingDeleted { return removeObject(pod) }
    do {
      let worker = PodWorker(pod: pod, address: try addresses.allocate(), kubelet: self)
      workers[pod.metadata.uid] = worker
      mkdir("\(stateFolder)/pods", 0o755)
      mkdir(logFolder(of: pod), 0o755)
      worker.begin()
    } catch {
      record(on: pod, .warning, reason: "FailedCreatePodSandBox", message: "\(error)")
    }
  }
}

// MARK: - For workers

extension Kubelet {
  func logFolder(of pod: KubernetesObject) -> String {
    "\(stateFolder)/pods/\(pod.metadata.namespace)_\(pod.metadata.name)_\(pod.metadata.uid)"
  }

  func logPath(of pod: KubernetesObject, container: String, instance: Int) -> String {
    "\(logFolder(of: pod))/\(container)_\(instance).log"
  }

  func lookUp(_ type: ResourceType, _ key: ObjectKey) -> KubernetesObject? { cluster.plane.view[type, key] }

  func record(on pod: KubernetesObject, _ type: PodLifecycle.EventType, reason: String, message: String) {
    cluster.change { plane, now in
      plane.record(on: pod, type, reason: reason, message: message, component: Self.component, now: now)
    }
  }

  /// Writes the status of a pod; the pod as it is now.
  func publish(status lifecycle: PodLifecycle, of pod: KubernetesObject) -> KubernetesObject {
    cluster.change { plane, now in
      guard var current = plane.view[.pods, pod.key], current.metadata.uid == pod.metadata.uid else { return pod }
      current.status = lifecycle.status(previous: current, now: now.wall)
      plane.writeStatus(.pods, current, as: Self.component, now: now)
      return plane.view[.pods, pod.key] ?? pod
    }
  }

  /// Confirms a deletion: the pod's processes are gone.
  func removeObject(_ pod: KubernetesObject) {
    cluster.change { plane, now in
      plane.perform(
        .pods, .delete(pod.key, DeleteOptions(gracePeriodSeconds: 0, uid: pod.metadata.uid)), as: Self.component,
        now: now)
    }
  }
}
