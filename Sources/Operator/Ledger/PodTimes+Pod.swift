import Decisions
import FoundationEssentials
import InferenceAPI
import KubernetesAPI

extension PodTimes {
  /// What a pod's object says of its life. The API server writes whole seconds.
  init(_ pod: Pod) {
    let metadata = pod.object.metadata
    let created = Self.milliseconds(metadata.creationTimestamp)
    let ready = pod.object.condition("Ready")
    let placed = pod.object.condition("PodScheduled").flatMap { $0.isTrue ? $0.lastTransitionTime : nil }
    let deleted = pod.object.json[path: ["metadata", "deletionTimestamp"]]?.stringValue.flatMap(Self.milliseconds)
    let grace = pod.object.json[path: ["metadata", "deletionGracePeriodSeconds"]]?.intValue ?? 0
    self.init(
      uid: pod.uid, pool: metadata.labels[Labels.pool] ?? Pool.burst.rawValue,
      scheduled: placed.flatMap(Self.milliseconds) ?? created, isReady: ready?.isTrue ?? false,
      readinessSince: (ready?.lastTransitionTime).flatMap(Self.milliseconds),
      // The deletion's time is when it must be over.
      drainingSince: deleted.map { $0 - grace * 1000 }, deadline: deleted, ended: Self.end(of: pod))
  }

  /// When the last container ended, if all have.
  private static func end(of pod: Pod) -> Int? {
    let statuses = pod.containerStatuses
    let ends = statuses.compactMap { $0["state"]?["terminated"]?["finishedAt"]?.stringValue.flatMap(milliseconds) }
    guard pod.isFinished || pod.isTerminating, !statuses.isEmpty, ends.count == statuses.count else { return nil }
    return ends.max()
  }

  private static func milliseconds(_ time: String) -> Int? { Timestamp.parse(time)?.milliseconds }
}
