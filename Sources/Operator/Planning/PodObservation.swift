import Decisions
import KubernetesAPI

/// What matters of one pod.
struct PodObservation: Equatable {
  var uid: String
  var name: String
  var createdAt: String
  var isReady: Bool
  var isTerminating: Bool
  /// Ended, and not to be restarted (`Failed`, `Succeeded`).
  var isFinished: Bool
  /// On a node: somebody pays for it.
  var isScheduled: Bool
  /// Of its Deployment's template; of the canary, of the one that the owner wants.
  var isUpdated = true
  /// Set while no node fits.
  var unschedulable: SchedulingRefusal?
  /// The container's or the kubelet's trouble; nil: none.
  var trouble: PodTrouble?
  var inFlight = 0
  /// For the ledger; nil: it has no node.
  var times: PodTimes?

  /// Counts toward what its Deployment wants.
  var isLive: Bool { !isTerminating && !isFinished }
}

/// No node has room for a pod.
struct SchedulingRefusal: Equatable {
  /// The scheduler's words.
  var message: String
  /// Since when, as the API server writes times: it stays the same while the refusal lasts.
  var since: String
}

/// Why a pod does not run.
struct PodTrouble: Equatable {
  /// `CrashLoopBackOff`, `ImagePullBackOff`, `Error` …: the kubelet's word.
  var reason: String
  /// What is known without reading logs.
  var message: String
  var container: String
  /// How often the container was restarted; with the pod's UID it names one crash.
  var restartCount: Int
  /// It will not get better by waiting a moment: a wake that meets it has failed.
  var isFatal: Bool
  /// The container ran and ended: its log may hold its last words.
  var hasRun: Bool
}

extension PodObservation {
  init(_ pod: Pod) {
    uid = pod.uid
    name = pod.object.metadata.name
    createdAt = pod.object.metadata.creationTimestamp
    isReady = pod.isReady && !pod.isTerminating
    isTerminating = pod.isTerminating
    isFinished = pod.isFinished
    isScheduled = !pod.nodeName.isEmpty
    unschedulable = pod.unschedulable.map { condition in
      SchedulingRefusal(
        message: condition.message,
        since: condition.lastTransitionTime.isEmpty ? createdAt : condition.lastTransitionTime)
    }
    trouble = PodTrouble(pod)
    times = isScheduled ? PodTimes(pod) : nil
  }
}

extension PodTrouble {
  /// Waiting reasons that last until somebody changes something.
  private static let fatalWaits: Set<String> = [
    "CrashLoopBackOff", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError",
  ]
  /// Waiting reasons that say no more than that it is starting.
  private static let normalWaits: Set<String> = ["", "ContainerCreating", "PodInitializing"]

  init?(_ pod: Pod) {
    let statuses = (pod.object.status["initContainerStatuses"]?.arrayValue ?? []) + pod.containerStatuses
    if let trouble = statuses.lazy.compactMap({ Self.trouble(of: $0) }).first {
      self = trouble
    } else if pod.phase == "Failed" {
      let reason = pod.object.status["reason"]?.stringValue ?? "Error"
      let message = pod.object.status["message"]?.stringValue ?? "the pod failed"
      self.init(reason: reason, message: message, container: "", restartCount: 0, isFatal: true, hasRun: false)
    } else {
      return nil
    }
  }

  private static func trouble(of status: JSONValue) -> PodTrouble? {
    let container = status["name"]?.stringValue ?? ""
    let restarts = status["restartCount"]?.intValue ?? 0
    let ended = status["state"]?["terminated"] ?? status["lastState"]?["terminated"]
    if let waiting = status["state"]?["waiting"], let reason = waiting["reason"]?.stringValue,
      !normalWaits.contains(reason)
    {
      let words = ended.map { exitText(container, $0) } ?? waiting["message"]?.stringValue ?? reason
      return PodTrouble(
        reason: reason, message: words, container: container, restartCount: restarts,
        isFatal: fatalWaits.contains(reason), hasRun: ended != nil)
    }
    guard let terminated = status["state"]?["terminated"], let code = terminated["exitCode"]?.intValue, code != 0 else {
      return nil
    }
    return PodTrouble(
      reason: "Error", message: exitText(container, terminated), container: container, restartCount: restarts,
      isFatal: false, hasRun: true)
  }

  private static func exitText(_ container: String, _ terminated: JSONValue) -> String {
    let code = terminated["exitCode"]?.intValue ?? 0
    let reason = terminated["reason"]?.stringValue ?? "Error"
    let words = terminated["message"]?.stringValue ?? ""
    let exit = "container \"\(container)\" ended with exit code \(code)\(reason == "Error" ? "" : " (\(reason))")"
    return words.isEmpty ? exit : "\(exit): \(words)"
  }
}
