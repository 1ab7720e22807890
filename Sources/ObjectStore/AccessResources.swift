import KubernetesAPI

extension ResourceDefinition {
  static let roles = ResourceDefinition.role(.roles, "Role is a namespaced, logical grouping of PolicyRules.", [])

  static let clusterRoles = ResourceDefinition.role(
    .clusterRoles, "ClusterRole is a cluster level, logical grouping of PolicyRules.",
    [
      (
        "aggregationRule",
        .object(
          "How to build the rules of this ClusterRole.", [("clusterRoleSelectors", .list(.opaque("A label selector.")))]
        )
      )
    ])

  static let roleBindings = ResourceDefinition.binding(
    .roleBindings, "RoleBinding references a role and says who has it in its namespace.")

  static let clusterRoleBindings = ResourceDefinition.binding(
    .clusterRoleBindings, "ClusterRoleBinding references a ClusterRole and says who has it.")

  private static func role(
    _ type: ResourceType, _ description: String, _ fields: SchemaNode.Fields
  ) -> ResourceDefinition {
    let texts = SchemaNode.list(.string())
    let rule: SchemaNode = .object(
      "PolicyRule holds information that describes a policy rule.",
      [
        ("apiGroups", texts), ("nonResourceURLs", texts), ("resourceNames", texts), ("resources", texts),
        ("verbs", texts),
      ], required: ["verbs"])
    var definition = ResourceDefinition(
      type: type,
      columns: [
        TableColumn("Created At", type: "date") { object, _ in
          .string(object.metadata.creationTimestamp)
        }
      ],
      schema: .object(description, fields + [("rules", .list(rule, "What the role allows."))]), isCustom: false)
    definition.behaviour.tracksGeneration = false
    definition.behaviour.validate = { new, _ in causes(inRules: new["rules"], isNamespaced: type.isNamespaced) }
    return definition
  }

  private static func causes(inRules rules: JSONValue?, isNamespaced: Bool) -> [KubernetesStatus.Cause] {
    (rules?.arrayValue ?? []).enumerated().flatMap { index, rule -> [KubernetesStatus.Cause] in
      func isEmpty(_ name: String) -> Bool { rule[name]?.arrayValue?.isEmpty ?? true }
      let place = "rules[\(index)]"
      var causes: [KubernetesStatus.Cause] = []
      if isEmpty("verbs") { causes.append(.required("\(place).verbs", "verbs must contain at least one value")) }
      if !isEmpty("nonResourceURLs") {
        if isNamespaced {
          causes.append(
            .invalid(
              "\(place).nonResourceURLs", rule["nonResourceURLs"] ?? [],
              "namespaced rules cannot apply to non-resource URLs"))
        } else if !isEmpty("apiGroups") || !isEmpty("resources") {
          causes.append(
            .invalid(
              "\(place).nonResourceURLs", rule["nonResourceURLs"] ?? [],
              "rules cannot apply to both regular resources and non-resource URLs"))
        }
        return causes
      }
      if isEmpty("apiGroups") {
        causes.append(.required("\(place).apiGroups", "resource rules must supply at least one api group"))
      }
      if isEmpty("resources") {
        causes.append(.required("\(place).resources", "resource rules must supply at least one resource"))
      }
      return causes
    }
  }

  private static func binding(_ type: ResourceType, _ description: String) -> ResourceDefinition {
    let subject: SchemaNode = .object(
      "Subject contains a reference to the object or user identities a role binding applies to.",
      [("apiGroup", .string()), ("kind", .string()), ("name", .string()), ("namespace", .string())],
      required: ["kind", "name"])
    let role: SchemaNode = .object(
      "The role that is given.", [("apiGroup", .string()), ("kind", .string()), ("name", .string())],
      required: ["kind", "name"])
    var definition = ResourceDefinition(
      type: type,
      columns: [
        TableColumn("Role") { object, _ in
          let role = object.json["roleRef"]
          return .string("\(role?["kind"]?.stringValue ?? "")/\(role?["name"]?.stringValue ?? "")")
        }, .age,
      ],
      schema: .object(
        description, [("roleRef", role), ("subjects", .list(subject, "Who has the role."))], required: ["roleRef"]),
      isCustom: false)
    definition.behaviour.tracksGeneration = false
    definition.behaviour.normalize = nameGroups
    definition.behaviour.validate = { new, old in
      guard let old, old["roleRef"] != new["roleRef"] else { return [] }
      return [.invalid("roleRef", new["roleRef"] ?? .null, "cannot change roleRef")]
    }
    return definition
  }

  /// The API groups that a binding may leave out.
  @Sendable private static func nameGroups(_ json: inout JSONValue) {
    let group: JSONValue = "rbac.authorization.k8s.io"
    if json[path: ["roleRef", "apiGroup"]] == nil, var role = json["roleRef"] {
      role["apiGroup"] = group
      json["roleRef"] = role
    }
    guard let subjects = json["subjects"]?.arrayValue else { return }
    json["subjects"] = .array(
      subjects.map { subject in
        guard subject["apiGroup"] == nil, subject["kind"] != "ServiceAccount" else { return subject }
        var subject = subject
        subject["apiGroup"] = group
        return subject
      })
  }
}
