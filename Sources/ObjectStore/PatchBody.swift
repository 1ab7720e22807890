import KubernetesAPI

/// The body of a PATCH by its content type.
enum PatchBody: Sendable {
  case json([JSONPatchOperation])
  case merge(JSONValue)
  case strategic(JSONValue)
  case apply(JSONValue)

  enum Kind: String, CaseIterable {
    case json = "application/json-patch+json"
    case merge = "application/merge-patch+json"
    case apply = "application/apply-patch+yaml"
    case strategic = "application/strategic-merge-patch+json"
  }

  /// - Throws: 415 for a content type that the resource does not take, 400 for a body that cannot be read.
  init(_ bytes: [UInt8], contentType: String?, isCustom: Bool) throws(KubernetesStatus) {
    let name = contentType.map { MediaRange.parse($0).first?.type ?? "" } ?? ""
    guard let kind = Kind(rawValue: name), !(isCustom && kind == .strategic) else {
      let accepted = Kind.allCases.filter { !isCustom || $0 != .strategic }
      throw .unsupportedMediaType(accepted: accepted.map(\.rawValue))
    }
    let body: JSONValue
    do { body = try JSONValue(parsing: bytes) } catch {
      throw .badRequest(kind == .apply ? "error decoding YAML: \(error)" : "error decoding patch: \(error)")
    }
    switch kind {
    case .json:
      do { self = .json(try JSONPatchOperation.parse(body)) } catch {
        throw .badRequest("error decoding patch: \(error)")
      }
    case .merge, .strategic, .apply:
      guard case .object = body else { throw .badRequest("error decoding patch: a patch must be an object") }
      self = kind == .merge ? .merge(body) : kind == .strategic ? .strategic(body) : .apply(body)
    }
  }

  /// What a refusal of unknown fields shows: the patched object, or of a strategic patch the patch alone.
  func shown(patched: JSONValue) -> JSONValue {
    if case .strategic(let patch) = self { return patch }
    return patched
  }

  var isApply: Bool { if case .apply = self { true } else { false } }

  /// The patched object; `apply` is no patch in this sense and leaves it alone.
  func applied(to json: JSONValue, schema: SchemaNode) throws(KubernetesStatus) -> JSONValue {
    do {
      switch self {
      case .json(let operations): return try json.patched(with: operations)
      case .merge(let patch): return json.mergePatched(with: patch)
      case .strategic(let patch): return try json.strategicallyPatched(with: patch, schema: schema)
      case .apply: return json
      }
    } catch {
      throw KubernetesStatus(
        code: 422, reason: "Invalid", message: "the server rejected our request due to an error in our request",
        details: .init(
          causes: [.init(reason: "UnexpectedServerResponse", message: "\(error)", field: "patch")]))
    }
  }
}
