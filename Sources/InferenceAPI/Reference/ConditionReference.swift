/// A condition of the status with the reasons that the controller gives for it. A test of the controller holds the two to each
/// other.
public struct ConditionReference: Sendable {
  public struct Reason: Sendable {
    /// `True`, `False` or `Unknown`.
    public let status: String
    public let reason: String
    public let meaning: String

    init(_ status: String, _ reason: String, _ meaning: String) {
      self.status = status
      self.reason = reason
      self.meaning = meaning
    }
  }

  public let name: String
  public let meaning: String
  public let reasons: [Reason]

  private init(_ name: String, _ meaning: String, _ reasons: [Reason]) {
    self.name = name
    self.meaning = meaning
    self.reasons = reasons
  }

  /// In the order of the status.
  public static let types: [ConditionReference] = [
    ConditionReference(
      "Ready", "a request sent now would be answered, after a wake if need be; so it is true while asleep.",
      [
        Reason("True", "Asleep", "No replica runs; the next request wakes one."),
        Reason("True", "Waking", "Replicas start; the message counts the requests that are held for them."),
        Reason("True", "Serving", "Replicas are ready."),
        Reason("True", "Bursting", "Both pools serve, or the burst pool is on its way."),
        Reason("True", "Draining", "The last replicas finish their requests and go."),
        Reason("False", "Suspended", "`spec.suspend` is true."),
        Reason(
          "False", "UnsupportedField", "The spec sets a field that this version does not act on; the message names it."),
        Reason("False", "UnknownTimeZone", "A schedule names a time zone that is not known here; what runs stays."),
        Reason("False", "InvalidSpec", "The object breaks a rule of its schema: stored under an older one."),
        Reason("False", "TemplateInvalid", "The API server refuses the pod template, and no replica is ready."),
        Reason("False", "NoCapacity", "Neither pool may have a replica."),
        Reason("False", "ObjectConflict", "Somebody else's object has a name that the service needs."),
        Reason("False", "QuotaExceeded", "A ResourceQuota lets no pod be made."),
        Reason("False", "ReplicaFailure", "The API server lets no pod be made: admission, Pod Security."),
        Reason("False", "Unschedulable", "No node has room for a pod; the message has the scheduler's words."),
        Reason("False", "StartupTimeout", "No replica was ready within `timeouts.startup`."),
      ]),
    ConditionReference(
      "TemplateValid", "the API server takes the pod template of both pools.",
      [
        Reason("True", "Accepted", "A dry run of the Deployments was accepted."),
        Reason("False", "Refused", "It was not; the message has the server's words."),
        Reason("Unknown", "NotChecked", "The server could not be asked; it will be again."),
      ]),
    ConditionReference(
      "NamesAccepted", "every name by which callers may ask is this service's own.",
      [
        Reason("True", "Accepted", "No older service claims one of them."),
        Reason("False", "Taken", "An older service has a name; this one still answers to `NAMESPACE/NAME`."),
      ]),
    ConditionReference(
      "DedicatedReady and BurstReady",
      "the pool has the replicas that are wanted now. Each is there while its pool may have a replica.",
      [
        Reason("True", "Asleep", "No replica is wanted."),
        Reason("True", "ReplicasReady", "All that are wanted are ready."),
        Reason("False", "ReplicasStarting", "Some are not ready yet."),
        Reason("False", "ReplicaFailure", "The API server lets no pod be made."),
        Reason("False", "Unschedulable", "No node has room for a pod."),
      ]),
    ConditionReference(
      "Progressing", "a change of the template is on its way to the pods.",
      [
        Reason("True", "RollingOut", "Replicas have an older template."),
        Reason("False", "RolledOut", "Every replica has the present template."),
        Reason(
          "False", "RolloutBlocked",
          "No node has room for a pod of the new template beside the old ones; the message says what to set."),
        Reason("True", "CanaryRunning", "A canary serves its share; the step ends by time."),
        Reason(
          "True", "CanaryPaused", "A canary waits: its step lasts until the steps are edited, or nothing of it serves."),
        Reason(
          "False", "CanaryAborted",
          "The canary failed and is given up until the template or the steps are changed; the message has the figures."),
        Reason("False", "TemplateInvalid", "The API server refuses the template that a canary is to try."),
      ]),
  ]
}
