import KubernetesAPI

/// Unknown fields of a body, answered as `fieldValidation=` asks.
enum FieldChecks {
  /// Where the body came from decides how a refusal reads.
  enum Source {
    case object
    /// With what the refusal shows.
    case patch(JSONValue)
  }

  /// - Returns: texts for Warning headers. - Throws: 400 or 422 when validation is strict.
  static func warnings(
    for json: JSONValue, definition: ResourceDefinition, validation: WriteOptions.FieldValidation, source: Source
  ) throws(KubernetesStatus) -> [String] {
    if validation == .ignore { return [] }
    let unknown = definition.schema.unknownFields(in: json).map { "unknown field \"\($0)\"" }
    if unknown.isEmpty || validation == .warn { return unknown }
    let error = "strict decoding error: \(unknown.joined(separator: ", "))"
    switch source {
    case .object:
      let type = definition.type
      throw .badRequest("\(type.kind) in version \"\(type.version)\" cannot be handled as a \(type.kind): \(error)")
    case .patch(let shown):
      throw .invalid(kind: "", group: "", name: "", [.invalid("patch", .string(shown.text), error)])
    }
  }
}
