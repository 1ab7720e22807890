import KubernetesAPI

/// What a write says besides its body.
struct WriteOptions: Sendable {
  enum FieldValidation: String, Sendable {
    case ignore = "Ignore"
    case warn = "Warn"
    case strict = "Strict"
  }

  var isDryRun = false
  var fieldManager: String
  var fieldValidation = FieldValidation.warn
  var isForced = false
  /// Nil: the object itself.
  var subresource: String?

  init(fieldManager: String, subresource: String? = nil) {
    self.fieldManager = fieldManager
    self.subresource = subresource
  }

  /// - Parameter kind: of the options object that messages name: `PatchOptions`.
  init(_ request: APIRequest, subresource: String?, kind: String) throws(KubernetesStatus) {
    self.subresource = subresource
    // Like the API server, fall back to the program's name: the first word of the user agent.
    let agent = request.header("User-Agent") ?? ""
    let program = agent.split(separator: "/").first.map(String.init) ?? "unknown"
    fieldManager = request.parameter("fieldManager")?.nilIfEmpty ?? program
    var causes: [KubernetesStatus.Cause] = []
    if fieldManager.utf8.count > 128 {
      causes.append(
        .init(
          reason: "FieldValueTooLong", message: "Too long: may not be more than 128 bytes", field: "fieldManager"))
    }
    if let text = request.parameter("fieldValidation"), !text.isEmpty {
      if let known = FieldValidation(rawValue: text) {
        fieldValidation = known
      } else {
        causes.append(.notSupported("fieldValidation", text, ["Ignore", "Strict", "Warn"]))
      }
    }
    isDryRun = try Self.isDryRun(request, kind: kind)
    isForced = request.parameter("force") == "true"
    if !causes.isEmpty { throw .invalid(kind: kind, group: "meta.k8s.io", name: "", causes) }
  }

  static func isDryRun(_ request: APIRequest, kind: String) throws(KubernetesStatus) -> Bool {
    guard let text = request.parameter("dryRun"), !text.isEmpty else { return false }
    guard text == "All" else {
      throw .invalid(
        kind: kind, group: "meta.k8s.io", name: "", [.notSupported("dryRun", text, ["All"])])
    }
    return true
  }
}
