import KubernetesAPI

/// The API server's errors, in its words (k8s.io/apimachinery/pkg/api/errors).
extension KubernetesStatus {
  static func notFound(_ type: ResourceType, _ name: String) -> KubernetesStatus {
    KubernetesStatus(
      code: 404, reason: "NotFound", message: "\(type.qualifiedResource) \"\(name)\" not found",
      details: Details(name: name, group: type.group.nilIfEmpty, kind: type.resource))
  }

  static func alreadyExists(_ type: ResourceType, _ name: String) -> KubernetesStatus {
    KubernetesStatus(
      code: 409, reason: "AlreadyExists", message: "\(type.qualifiedResource) \"\(name)\" already exists",
      details: Details(name: name, group: type.group.nilIfEmpty, kind: type.resource))
  }

  static func conflict(_ type: ResourceType, _ name: String, _ why: String) -> KubernetesStatus {
    KubernetesStatus(
      code: 409, reason: "Conflict",
      message: "Operation cannot be fulfilled on \(type.qualifiedResource) \"\(name)\": \(why)",
      details: Details(name: name, group: type.group.nilIfEmpty, kind: type.resource))
  }

  static func stale(_ type: ResourceType, _ name: String) -> KubernetesStatus {
    conflict(
      type, name,
      "the object has been modified; please apply your changes to the latest version and try again")
  }

  static func badRequest(_ message: String) -> KubernetesStatus {
    KubernetesStatus(code: 400, reason: "BadRequest", message: message)
  }

  static func forbidden(_ type: ResourceType, _ name: String, _ why: String) -> KubernetesStatus {
    let subject = name.isEmpty ? type.qualifiedResource : "\(type.qualifiedResource) \"\(name)\""
    return KubernetesStatus(
      code: 403, reason: "Forbidden", message: "\(subject) is forbidden: \(why)",
      details: Details(name: name.nilIfEmpty, group: type.group.nilIfEmpty, kind: type.resource))
  }

  static func internalError(_ message: String) -> KubernetesStatus {
    KubernetesStatus(
      code: 500, reason: "InternalError", message: "Internal error occurred: \(message)",
      details: Details(causes: [Cause(reason: "", message: message, field: "")]))
  }

  static func methodNotAllowed() -> KubernetesStatus {
    KubernetesStatus(
      code: 405, reason: "MethodNotAllowed",
      message: "the server does not allow this method on the requested resource", details: Details())
  }

  /// Several causes are printed in brackets, as an aggregate error prints itself.
  static func invalid(kind: String, group: String, name: String, _ causes: [Cause]) -> KubernetesStatus {
    let texts = causes.map { "\($0.field): \($0.message)" }
    let list = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
    let subject = group.isEmpty ? kind : "\(kind).\(group)"
    return KubernetesStatus(
      code: 422, reason: "Invalid", message: "\(subject) \"\(name)\" is invalid: \(list)",
      details: Details(name: name.nilIfEmpty, group: group.nilIfEmpty, kind: kind.nilIfEmpty, causes: causes))
  }

  static func invalid(_ type: ResourceType, _ name: String, _ causes: [Cause]) -> KubernetesStatus {
    invalid(kind: type.kind, group: type.group, name: name, causes)
  }

  static func expired(version: Int, oldest: Int) -> KubernetesStatus {
    KubernetesStatus(
      code: 410, reason: "Expired", message: "too old resource version: \(version) (\(oldest))")
  }

  static func tooLarge(version: Int, current: Int) -> KubernetesStatus {
    KubernetesStatus(
      code: 504, reason: "Timeout",
      message: "Timeout: Too large resource version: \(version), current: \(current)",
      details: Details(
        causes: [Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version", field: "")],
        retryAfterSeconds: 1))
  }

  static func unsupportedMediaType(accepted: [String]) -> KubernetesStatus {
    KubernetesStatus(
      code: 415, reason: "UnsupportedMediaType",
      message: "the body of the request was in an unknown format - accepted media types include: "
        + accepted.joined(separator: ", "))
  }

  static func notAcceptable(accepted: [String]) -> KubernetesStatus {
    KubernetesStatus(
      code: 406, reason: "NotAcceptable",
      message: "only the following media types are accepted: \(accepted.joined(separator: ", "))")
  }
}

extension KubernetesStatus.Cause {
  static func required(_ field: String, _ why: String = "") -> Self {
    Self(reason: "FieldValueRequired", message: why.isEmpty ? "Required value" : "Required value: \(why)", field: field)
  }

  static func invalid(_ field: String, _ value: JSONValue, _ why: String) -> Self {
    Self(reason: "FieldValueInvalid", message: "Invalid value: \(value.text): \(why)", field: field)
  }

  static func forbidden(_ field: String, _ why: String) -> Self {
    Self(reason: "FieldValueForbidden", message: "Forbidden: \(why)", field: field)
  }

  static func notSupported(_ field: String, _ value: String, _ supported: [String]) -> Self {
    let list = supported.map { "\"\($0)\"" }.joined(separator: ", ")
    return Self(
      reason: "FieldValueNotSupported", message: "Unsupported value: \"\(value)\": supported values: \(list)",
      field: field)
  }

  static func duplicate(_ field: String, _ value: JSONValue) -> Self {
    Self(reason: "FieldValueDuplicate", message: "Duplicate value: \(value.text)", field: field)
  }
}

extension String {
  var nilIfEmpty: String? { isEmpty ? nil : self }
}
