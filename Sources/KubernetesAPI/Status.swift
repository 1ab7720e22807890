/// The API server's answer to a request that failed: `kind: Status` (Kubernetes API conventions, "Response Status Kind").
public struct KubernetesStatus: Error, Hashable, Sendable, CustomStringConvertible {
  /// HTTP status code.
  public var code: Int
  /// One word for programs: `NotFound`, `Conflict`, `Invalid` … "" where the server gives none.
  public var reason: String
  public var message: String
  public var details: Details?

  public struct Details: Hashable, Sendable {
    public var name: String?
    public var group: String?
    public var kind: String?
    public var uid: String?
    public var causes: [Cause]
    public var retryAfterSeconds: Int?
    public init(
      name: String? = nil, group: String? = nil, kind: String? = nil, uid: String? = nil, causes: [Cause] = [],
      retryAfterSeconds: Int? = nil
    ) {
      self.name = name
      self.group = group
      self.kind = kind
      self.uid = uid
      self.causes = causes
      self.retryAfterSeconds = retryAfterSeconds
    }
  }

  /// One thing that is wrong with one field.
  public struct Cause: Hashable, Sendable {
    /// `FieldValueInvalid`, `FieldValueRequired`, `FieldValueNotSupported`, `FieldValueDuplicate`, `FieldValueTypeInvalid`,
    /// `FieldManagerConflict` …
    public var reason: String
    public var message: String
    /// Path such as `spec.burst.maxReplicas`.
    public var field: String
    public init(reason: String, message: String, field: String) {
      self.reason = reason
      self.message = message
      self.field = field
    }
  }

  public init(code: Int, reason: String, message: String, details: Details? = nil) {
    self.code = code
    self.reason = reason
    self.message = message
    self.details = details
  }

  public var description: String { message }

  public var json: JSONValue {
    var value: JSONValue = [
      "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
      "code": JSONValue(code),
    ]
    if !reason.isEmpty { value["reason"] = .string(reason) }
    if let details { value["details"] = details.json }
    return value
  }

  /// Reads a `Status` object; nil when `json` is none.
  public init?(json: JSONValue) {
    guard json["kind"]?.stringValue == "Status" else { return nil }
    code = json["code"]?.intValue ?? 0
    reason = json["reason"]?.stringValue ?? ""
    message = json["message"]?.stringValue ?? ""
    details = json["details"].map(Details.init(json:))
  }
}

extension KubernetesStatus.Details {
  var json: JSONValue {
    var value: JSONValue = [:]
    value["name"] = name.map { .string($0) }
    value["group"] = group.map { .string($0) }
    value["kind"] = kind.map { .string($0) }
    value["uid"] = uid.map { .string($0) }
    value["retryAfterSeconds"] = retryAfterSeconds.map { JSONValue($0) }
    if !causes.isEmpty {
      value["causes"] = .array(
        causes.map { ["reason": .string($0.reason), "message": .string($0.message), "field": .string($0.field)] })
    }
    return value
  }

  init(json: JSONValue) {
    self.init(
      name: json["name"]?.stringValue, group: json["group"]?.stringValue, kind: json["kind"]?.stringValue,
      uid: json["uid"]?.stringValue,
      causes: (json["causes"]?.arrayValue ?? []).map {
        KubernetesStatus.Cause(
          reason: $0["reason"]?.stringValue ?? "", message: $0["message"]?.stringValue ?? "",
          field: $0["field"]?.stringValue ?? "")
      },
      retryAfterSeconds: json["retryAfterSeconds"]?.intValue)
  }
}
