import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  mutating func post(
    _ request: APIRequest, _ path: ResourcePath, encoder: ObjectEncoder, now: Date
  ) throws(KubernetesStatus) -> APIBody {
    guard !path.type.isNamespaced || path.namespace != nil else { throw .methodNotAllowed() }
    let options = try WriteOptions(request, subresource: nil, kind: "CreateOptions")
    let body = try path.definition.typed(try RequestBody.object(request, expecting: path.type))
    let warnings = try FieldChecks.warnings(
      for: body, definition: path.definition, validation: options.fieldValidation, source: .object)
    let object = try create(path.definition, body, namespace: path.namespace ?? "", options: options, now: now)
    return APIBody(json: encoder.object(object, now: now), status: 201, warnings: warnings)
  }

  mutating func put(
    _ request: APIRequest, _ path: ResourcePath, encoder: ObjectEncoder, now: Date
  ) throws(KubernetesStatus) -> APIBody {
    let definition = path.definition
    let options = try WriteOptions(request, subresource: path.subresource, kind: "UpdateOptions")
    let body = try definition.typed(try RequestBody.object(request, expecting: path.type))
    let warnings = try FieldChecks.warnings(
      for: body, definition: definition, validation: options.fieldValidation, source: .object)
    try checkIdentity(body, path)
    let object = try update(definition, path.key, options: options, now: now) { _ throws(KubernetesStatus) in
      let version = body.metadataMembers["resourceVersion"]?.stringValue ?? ""
      guard !definition.isCustom || !version.isEmpty else {
        throw .invalid(
          path.type, path.key.name,
          [.invalid("metadata.resourceVersion", 0, "must be specified for an update")])
      }
      return (body, nil)
    }
    return APIBody(json: encoder.object(object, now: now), warnings: warnings)
  }

  private func checkIdentity(_ body: JSONValue, _ path: ResourcePath) throws(KubernetesStatus) {
    let name = body.metadataMembers["name"]?.stringValue ?? ""
    let namespace = body.metadataMembers["namespace"]?.stringValue ?? ""
    if name.isEmpty {
      throw .badRequest("the name of the object (based on URL) was undeterminable: name must be provided")
    }
    if name != path.key.name {
      throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(path.key.name))")
    }
    if !namespace.isEmpty, namespace != path.key.namespace {
      throw .badRequest(
        "the namespace of the object (\(namespace)) does not match the namespace on the URL (\(path.key.namespace))")
    }
  }

  mutating func patch(
    _ request: APIRequest, _ path: ResourcePath, encoder: ObjectEncoder, now: Date
  ) throws(KubernetesStatus) -> APIBody {
    let definition = path.definition
    let patch = try PatchBody(
      request.body, contentType: request.header("Content-Type"), isCustom: definition.isCustom)
    let options = try WriteOptions(request, subresource: path.subresource, kind: "PatchOptions")
    try checkPatchOptions(request, isApply: patch.isApply)
    if case .apply(let config) = patch {
      let result = try apply(definition, path.key, config: config, options: options, now: now)
      return APIBody(json: encoder.object(result.object, now: now), status: result.isCreated ? 201 : 200)
    }
    var warnings: [String] = []
    let object = try update(definition, path.key, options: options, now: now) { present throws(KubernetesStatus) in
      let patched = try patch.applied(to: present.json, schema: definition.schema)
      warnings = try FieldChecks.warnings(
        for: patched, definition: definition, validation: options.fieldValidation,
        source: .patch(patch.shown(patched: patched)))
      return (patched, nil)
    }
    return APIBody(json: encoder.object(object, now: now), warnings: warnings)
  }

  private func checkPatchOptions(_ request: APIRequest, isApply: Bool) throws(KubernetesStatus) {
    var causes: [KubernetesStatus.Cause] = []
    if isApply, request.parameter("fieldManager")?.isEmpty != false {
      causes.append(.required("fieldManager", "is required for apply patch"))
    }
    if !isApply, request.parameter("force") != nil {
      causes.append(.forbidden("force", "may not be specified for non-apply patch"))
    }
    if !causes.isEmpty { throw .invalid(kind: "PatchOptions", group: "meta.k8s.io", name: "", causes) }
  }

  mutating func writeScale(
    _ request: APIRequest, _ path: ResourcePath, _ mapping: ScaleMapping, encoder: ObjectEncoder, now: Date
  ) throws(KubernetesStatus) -> APIBody {
    let isPatch = request.method == "PATCH"
    let options = try WriteOptions(
      request, subresource: "scale", kind: isPatch ? "PatchOptions" : "UpdateOptions")
    let definition = ScaleSubresource.definition
    let patch =
      isPatch
      ? try PatchBody(request.body, contentType: request.header("Content-Type"), isCustom: path.definition.isCustom)
      : nil
    let body = isPatch ? nil : try definition.typed(try RequestBody.object(request, expecting: ScaleSubresource.type))
    let object = try update(path.definition, path.key, options: options, now: now) { present throws(KubernetesStatus) in
      let current = try ScaleSubresource.scale(of: present, mapping, isStrict: false)
      var scale = body ?? current
      // An applied Scale merges like any other: it has no lists.
      if case .apply(let config)? = patch {
        scale = current.mergePatched(with: config)
      } else if let patch {
        scale = try patch.applied(to: current, schema: definition.schema)
      }
      return (try ScaleSubresource.object(present, scaledBy: scale, mapping), nil)
    }
    return APIBody(
      json: encoder.object(KubernetesObject(try ScaleSubresource.scale(of: object, mapping)), now: now))
  }
}
