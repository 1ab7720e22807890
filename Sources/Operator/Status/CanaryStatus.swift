import Decisions
import FoundationEssentials
import KubernetesAPI

extension StatusDocument {
  /// `status.rollout`: everything that a new leader needs to go on.
  static func rollout(_ rollout: CanaryRollout) -> JSONValue {
    var status: JSONValue = [
      "currentRevision": .string(rollout.currentRevision), "updateRevision": .string(rollout.updateRevision),
    ]
    guard rollout.isUnderWay else { return status }
    status["step"] = JSONValue(rollout.step)
    status["stepsRevision"] = .string(rollout.stepsRevision)
    status["stepStartTime"] = time(rollout.stepStart)
    status["stepStoppedTime"] = rollout.clockStopped.map(time)
    status["trafficPercent"] = JSONValue(rollout.trafficPercent)
    if let abort = rollout.abort {
      status["abortReason"] = .string(String(abort.reason.prefix(64)))
      status["abortMessage"] = .string(String(abort.message.prefix(1024)))
    }
    return status
  }

  /// The rollout that an earlier controller wrote down; nil: none did.
  static func rollout(in status: JSONValue) -> CanaryRollout? {
    guard let block = status["rollout"], let current = block["currentRevision"]?.stringValue,
      let update = block["updateRevision"]?.stringValue
    else { return nil }
    func moment(_ name: String) -> Duration? {
      block[name]?.stringValue.flatMap(Timestamp.parse).map { .seconds($0.timeIntervalSince1970) }
    }
    var rollout = CanaryRollout(currentRevision: current, updateRevision: update)
    rollout.step = max(0, block["step"]?.intValue ?? 0)
    rollout.stepsRevision = block["stepsRevision"]?.stringValue ?? ""
    rollout.stepStart = moment("stepStartTime") ?? .zero
    rollout.clockStopped = moment("stepStoppedTime")
    rollout.stepPercent = block["trafficPercent"]?.intValue ?? 0
    rollout.abort = block["abortReason"]?.stringValue.map {
      CanaryAbort(reason: $0, message: block["abortMessage"]?.stringValue ?? "")
    }
    return rollout
  }

  /// Share and ready/wanted of the canary; nil: there is none.
  static func canaryDisplay(_ now: ServiceSituation) -> String? {
    guard let rollout = now.rollout, rollout.isUnderWay else { return nil }
    return rollout.abort == nil
      ? "\(rollout.trafficPercent)% \(now.pools.canary.ready)/\(now.wanted.canary)" : "aborted"
  }

  private static func time(_ moment: Duration) -> JSONValue {
    .string(Timestamp.seconds(Date(timeIntervalSince1970: moment.inSeconds)))
  }
}

extension ServiceSituation {
  /// `Progressing` while a template is tried.
  func canaryVerdict(_ rollout: CanaryRollout) -> Verdict {
    if let abort = rollout.abort {
      return .no(
        "CanaryAborted",
        "\(abort.reason): \(abort.message); the pools keep their template until spec.template or the steps are changed")
    }
    if case .invalid(let words) = template { return .no("TemplateInvalid", words) }
    let count = intent.rollout.steps.count
    let step = "step \(rollout.step + 1) of \(count), \(rollout.trafficPercent)% of the requests"
    if rollout.clockStopped != nil {
      return .yes("CanaryPaused", "\(step): its time does not run while no replica of the canary serves")
    }
    guard let pause = intent.rollout.steps.dropFirst(rollout.step).first?.pause else {
      return .yes("CanaryPaused", "\(step): it lasts until spec.rollout.steps is edited")
    }
    return .yes("CanaryRunning", "\(step), for \(pause.shortText) of serving")
  }
}
