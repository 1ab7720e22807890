/// An entry of `status.conditions`.
public struct Condition: Hashable, Sendable {
  public var json: JSONValue
  public init(json: JSONValue) { self.json = json }

  /// `status` is `True`, `False` or `Unknown`; `transitionTime` is RFC 3339.
  public init(
    type: String, status: String, reason: String, message: String, transitionTime: String,
    observedGeneration: Int? = nil
  ) {
    json = [
      "type": .string(type), "status": .string(status), "reason": .string(reason), "message": .string(message),
      "lastTransitionTime": .string(transitionTime),
    ]
    json["observedGeneration"] = observedGeneration.map { JSONValue($0) }
  }

  public var type: String { json["type"]?.stringValue ?? "" }
  public var status: String { json["status"]?.stringValue ?? "Unknown" }
  public var isTrue: Bool { status == "True" }
  public var reason: String { json["reason"]?.stringValue ?? "" }
  public var message: String { json["message"]?.stringValue ?? "" }
  public var lastTransitionTime: String { json["lastTransitionTime"]?.stringValue ?? "" }
}

extension KubernetesObject {
  /// `status.conditions`.
  public var conditions: [Condition] { (status["conditions"]?.arrayValue ?? []).map(Condition.init(json:)) }

  public func condition(_ type: String) -> Condition? { conditions.first { $0.type == type } }

  /// Sets a condition by type; `lastTransitionTime` stays what it was while the status word does not change.
  public mutating func setCondition(_ condition: Condition) {
    var all = conditions
    var condition = condition
    if let index = all.firstIndex(where: { $0.type == condition.type }) {
      if all[index].status == condition.status {
        condition.json["lastTransitionTime"] = all[index].json["lastTransitionTime"]
      }
      all[index] = condition
    } else {
      all.append(condition)
    }
    status["conditions"] = .array(all.map(\.json))
  }
}
