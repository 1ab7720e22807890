import KubernetesAPI

/// The rules for `metadata` (k8s.io/apimachinery: api/validation/objectmeta.go, util/validation).
enum MetadataValidation {
  static func causes(_ new: JSONValue, old: JSONValue?, type: ResourceType) -> [KubernetesStatus.Cause] {
    var causes: [KubernetesStatus.Cause] = []
    if old == nil { causes += nameCauses(new["name"]?.stringValue ?? "", type: type) }
    causes += labelCauses(new["labels"]) + annotationCauses(new["annotations"])
    causes += ownerCauses(new["ownerReferences"]?.arrayValue ?? [])
    causes += finalizerCauses(new["finalizers"]?.arrayValue ?? [])
    if let old { causes += changeCauses(new, old) }
    return causes
  }

  private static func nameCauses(_ name: String, type: ResourceType) -> [KubernetesStatus.Cause] {
    if name.isEmpty { return [.required("metadata.name", "name or generateName is required")] }
    func wrong(_ why: String) -> [KubernetesStatus.Cause] { [.invalid("metadata.name", .string(name), why)] }
    switch type {
    case .services:
      if name.utf8.count > 63 { return wrong("must be no more than 63 bytes") }
      return NameSyntax.isLabel(name, startsWithLetter: true) ? [] : wrong(NameSyntax.label1035Message)
    case .namespaces:
      if name.utf8.count > 63 { return wrong("must be no more than 63 bytes") }
      return NameSyntax.isLabel(name) ? [] : wrong(NameSyntax.labelMessage)
    case .roles, .roleBindings, .clusterRoles, .clusterRoleBindings:
      // Anything that is one segment of a path: `system:discovery`.
      if [".", ".."].contains(name) { return wrong("may not be '\(name)'") }
      return ["/", "%"].filter { name.contains($0) }.flatMap { wrong("may not contain '\($0)'") }
    default:
      if name.utf8.count > 253 { return wrong("must be no more than 253 bytes") }
      return NameSyntax.isSubdomain(name) ? [] : wrong(NameSyntax.subdomainMessage)
    }
  }

  static func labelCauses(_ labels: JSONValue?, field: String = "metadata.labels") -> [KubernetesStatus.Cause] {
    (labels?.objectValue ?? [:]).sorted { $0.key < $1.key }.flatMap { key, value in
      var causes = qualifiedNameCauses(key, field: field)
      if let text = value.stringValue, !NameSyntax.isLabelValue(text) {
        causes.append(
          .invalid(field, value, text.utf8.count > 63 ? "must be no more than 63 bytes" : NameSyntax.labelValueMessage))
      }
      return causes
    }
  }

  private static func annotationCauses(_ annotations: JSONValue?) -> [KubernetesStatus.Cause] {
    let field = "metadata.annotations"
    let members = (annotations?.objectValue ?? [:]).sorted { $0.key < $1.key }
    var causes = members.flatMap { qualifiedNameCauses($0.key.lowercased(), field: field) }
    let size = members.reduce(0) { $0 + $1.key.utf8.count + ($1.value.stringValue?.utf8.count ?? 0) }
    if size > 262_144 {
      causes.append(
        .init(reason: "FieldValueTooLong", message: "Too long: may not be more than 262144 bytes", field: field))
    }
    return causes
  }

  private static func qualifiedNameCauses(_ key: String, field: String) -> [KubernetesStatus.Cause] {
    let pieces = key.split(separator: "/", omittingEmptySubsequences: false)
    if pieces.count > 2 { return [.invalid(field, .string(key), NameSyntax.qualifiedNameMessage)] }
    var causes: [KubernetesStatus.Cause] = []
    if pieces.count == 2, !NameSyntax.isSubdomain(String(pieces[0])) {
      causes.append(.invalid(field, .string(key), "prefix part \(NameSyntax.subdomainMessage)"))
    }
    let name = String(pieces.last ?? "")
    if name.isEmpty || !NameSyntax.isLabelValue(name) {
      causes.append(.invalid(field, .string(key), "name part \(NameSyntax.qualifiedPartMessage)"))
    }
    return causes
  }

  private static func ownerCauses(_ owners: [JSONValue]) -> [KubernetesStatus.Cause] {
    let field = "metadata.ownerReferences"
    var causes: [KubernetesStatus.Cause] = []
    for (index, owner) in owners.enumerated() {
      for name in ["apiVersion", "kind", "name", "uid"] where owner[name]?.stringValue?.isEmpty != false {
        causes.append(
          .invalid(
            "\(field)[\(index)].\(name)", .string(""),
            name == "apiVersion" ? "version must not be empty" : "must not be empty"))
      }
    }
    let controllers = owners.filter { $0["controller"]?.boolValue == true }
    if controllers.count > 1 {
      causes.append(
        .invalid(
          field, .array(owners),
          "Only one reference can have Controller set to true. Found \"true\" in references for "
            + "\(controllers[0]["name"]?.stringValue ?? "") and \(controllers[1]["name"]?.stringValue ?? "")"))
    }
    return causes
  }

  private static func finalizerCauses(_ finalizers: [JSONValue]) -> [KubernetesStatus.Cause] {
    let names = finalizers.compactMap(\.stringValue)
    if names.contains(Finalizer.orphan), names.contains(Finalizer.foreground) {
      return [
        .invalid(
          "metadata.finalizers", .array(finalizers),
          "finalizer orphan and foregroundDeletion cannot be both set")
      ]
    }
    return names.enumerated().flatMap { index, name -> [KubernetesStatus.Cause] in
      if Finalizer.isForGarbageCollection(name) { return [] }
      return qualifiedNameCauses(name, field: "metadata.finalizers[\(index)]")
    }
  }

  private static func changeCauses(_ new: JSONValue, _ old: JSONValue) -> [KubernetesStatus.Cause] {
    var causes: [KubernetesStatus.Cause] = []
    for name in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"]
    where (new[name] ?? .null) != (old[name] ?? .null) {
      causes.append(.invalid("metadata.\(name)", new[name] ?? .null, "field is immutable"))
    }
    if old["deletionTimestamp"] != nil {
      let present = Set(old["finalizers"]?.arrayValue ?? [])
      let added = (new["finalizers"]?.arrayValue ?? []).filter { !present.contains($0) }.compactMap(\.stringValue)
      if !added.isEmpty {
        let names = added.map { "\"\($0)\"" }.joined(separator: ", ")
        causes.append(
          .forbidden(
            "metadata.finalizers",
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{\(names)}"))
      }
    }
    return causes
  }
}

/// Syntax of names, labels and their parts, with the API server's texts.
enum NameSyntax {
  static func isLabel(_ text: String, startsWithLetter: Bool = false) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else { return false }
    let startsWell = isLower(first) || (!startsWithLetter && isDigit(first))
    return startsWell && last != UInt8(ascii: "-")
      && bytes.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
  }

  static func isSubdomain(_ text: String) -> Bool {
    guard !text.isEmpty, text.utf8.count <= 253 else { return false }
    return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
      guard let first = part.utf8.first, let last = part.utf8.last else { return false }
      return first != UInt8(ascii: "-") && last != UInt8(ascii: "-")
        && part.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }
  }

  static func isLabelValue(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, let last = bytes.last else { return true }
    func isAlphanumeric(_ byte: UInt8) -> Bool { isLower(byte) || isDigit(byte) || (65...90).contains(byte) }
    return bytes.count <= 63 && isAlphanumeric(first) && isAlphanumeric(last)
      && bytes.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
  }

  private static func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  static let labelMessage =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
  static let label1035Message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
  static let subdomainMessage =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
  static let labelValueMessage =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
  static let qualifiedPartMessage =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
  static let qualifiedNameMessage =
    "a qualified name \(qualifiedPartMessage) with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
}
