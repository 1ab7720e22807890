import FoundationEssentials
import KubernetesAPI

extension ResourceDefinition {
  /// The stored form of what a client sent: unknown fields dropped, defaults filled in, values in normal form.
  func prepared(_ json: JSONValue) -> JSONValue {
    var result = schema.defaulted(schema.pruned(json))
    behaviour.normalize(&result)
    return result
  }

  /// Everything that is wrong with an object, or with a change of one.
  func causes(_ new: JSONValue, old: JSONValue?) -> [KubernetesStatus.Cause] {
    MetadataValidation.causes(new["metadata"] ?? [:], old: old?["metadata"], type: type)
      + schemaCauses(new) + behaviour.validate(new, old)
  }

  private func schemaCauses(_ json: JSONValue) -> [KubernetesStatus.Cause] {
    let causes = schema.violations(in: json, at: "")
    if isCustom { return causes }
    // Built-in types have no rules that could go unchecked, and their validation decides which lists hold no key twice.
    return causes.filter { $0.field != "<nil>" && $0.reason != "FieldValueDuplicate" }
  }

  /// Whether a change of these parts counts as a new generation.
  func changesGeneration(_ new: JSONValue, _ old: JSONValue) -> Bool {
    guard behaviour.tracksGeneration else { return false }
    func counted(_ json: JSONValue) -> JSONValue {
      var json = json
      json["metadata"] = nil
      if hasStatus { json["status"] = nil }
      return json
    }
    return counted(new) != counted(old)
  }

  /// Kind and API version of a body, filled in where absent.
  /// - Throws: 422 or 400 when the body is of another kind.
  func typed(_ json: JSONValue) throws(KubernetesStatus) -> JSONValue {
    guard case .object = json else {
      throw .badRequest("the object provided is unrecognized (must be of type \(type.kind))")
    }
    var json = json
    let kind = json["kind"]?.stringValue ?? ""
    let version = json["apiVersion"]?.stringValue ?? ""
    if !kind.isEmpty, kind != type.kind {
      guard isCustom else {
        throw .badRequest("no kind \"\(kind)\" is registered for version \"\(type.apiVersion)\"")
      }
      let name = json[path: ["metadata", "name"]]?.stringValue ?? ""
      throw .invalid(
        kind: kind, group: type.group, name: name, [.invalid("kind", .string(kind), "must be \(type.kind)")])
    }
    if !version.isEmpty, version != type.apiVersion {
      throw .badRequest(
        "the API version in the data (\(version)) does not match the expected API version (\(type.apiVersion))")
    }
    json["kind"] = .string(type.kind)
    json["apiVersion"] = .string(type.apiVersion)
    if json["metadata"]?.objectValue == nil { json["metadata"] = .object([:]) }
    return json
  }
}

extension JSONValue {
  /// `metadata` of an object.
  var metadataMembers: [String: JSONValue] {
    get { self["metadata"]?.objectValue ?? [:] }
    set { self["metadata"] = .object(newValue) }
  }
}
