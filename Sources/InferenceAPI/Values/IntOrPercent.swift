import KubernetesAPI

/// A number of replicas, or a share of the wanted number.
public enum IntOrPercent: Hashable, Sendable {
  case count(Int)
  /// 0 to 100.
  case percent(Int)

  /// From `2` or `"25%"`; nil for a negative number and anything else.
  public init?(json: JSONValue) {
    if let number = json.intValue {
      guard number >= 0 else { return nil }
      self = .count(number)
      return
    }
    guard let text = json.stringValue, text.hasSuffix("%"), let number = Int(text.dropLast()),
      (0...100).contains(number),
      text == "\(number)%"
    else { return nil }
    self = .percent(number)
  }

  /// As Deployments take it.
  public var json: JSONValue {
    switch self {
    case .count(let number): JSONValue(number)
    case .percent(let number): .string("\(number)%")
    }
  }
}
