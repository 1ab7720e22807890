import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  /// The status of a CustomResourceDefinition: established when the store serves what it defines. The store learns resources
  /// from ``register(_:)`` alone, so a definition of another one is kept, and says that nothing comes of it.
  func establishedStatus(of definition: JSONValue, now: Date) -> JSONValue {
    let spec = definition["spec"] ?? [:]
    let group = spec["group"]?.stringValue ?? ""
    let plural = spec[path: ["names", "plural"]]?.stringValue ?? ""
    let versions = (spec["versions"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
    let isServed = versions.contains { self.definition(group: group, version: $0, resource: plural) != nil }
    let time = Timestamp.seconds(now)
    let accepted = Condition(
      type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found",
      transitionTime: time)
    let established =
      isServed
      ? Condition(
        type: "Established", status: "True", reason: "InitialNamesAccepted",
        message: "the initial names have been accepted", transitionTime: time)
      : Condition(
        type: "Established", status: "False", reason: "NotServed",
        message: "\(plural).\(group) is not among the resources that this server was started with", transitionTime: time
      )
    return [
      "acceptedNames": spec["names"] ?? [:], "conditions": [accepted.json, established.json],
      "storedVersions": JSONValue(versions),
    ]
  }
}
