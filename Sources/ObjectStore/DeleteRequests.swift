import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  mutating func deleteOne(
    _ request: APIRequest, _ path: ResourcePath, encoder: ObjectEncoder, now: Date
  ) throws(KubernetesStatus) -> APIBody {
    let options = try DeleteOptions(request)
    switch try delete(path.definition, path.key, options: options, now: now) {
    case .pending(let object): return APIBody(json: encoder.object(object, now: now))
    case .gone(let object) where path.definition.behaviour.returnsDeletedObject:
      return APIBody(json: encoder.object(object, now: now))
    case .gone(let object):
      var details: JSONValue = [
        "name": .string(object.metadata.name), "kind": .string(path.type.resource),
        "uid": .string(object.metadata.uid),
      ]
      if !path.type.group.isEmpty { details["group"] = .string(path.type.group) }
      return APIBody(json: [
        "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details,
      ])
    }
  }

  mutating func deleteCollection(
    _ request: APIRequest, _ path: ResourcePath, encoder: ObjectEncoder, now: Date
  ) throws(KubernetesStatus) -> APIBody {
    guard !path.type.isNamespaced || path.namespace != nil else { throw .methodNotAllowed() }
    let options = try DeleteOptions(request)
    var deleted: [KubernetesObject] = []
    for object in objects(try selection(request, path)) {
      deleted.append(try delete(path.definition, object.key, options: options, now: now).object)
    }
    let metadata: JSONValue = ["resourceVersion": .string(String(resourceVersion))]
    return APIBody(json: encoder.list(deleted, metadata: metadata, now: now))
  }
}

extension DeleteOptions {
  /// From the body where there is one, else from the query.
  init(_ request: APIRequest) throws(KubernetesStatus) {
    let body = request.body.isEmpty ? [:] : try RequestBody.deleteOptions(request)
    func text(_ name: String) -> String? { body[name]?.stringValue ?? request.parameter(name)?.nilIfEmpty }
    let grace = body["gracePeriodSeconds"]?.intValue ?? request.parameter("gracePeriodSeconds").flatMap { Int($0) }
    let orphans = body["orphanDependents"]?.boolValue ?? request.parameter("orphanDependents").map { $0 == "true" }
    var policy: Propagation?
    if let name = text("propagationPolicy") {
      guard let known = Propagation(rawValue: name) else {
        throw .invalid(
          kind: "DeleteOptions", group: "meta.k8s.io", name: "",
          [.notSupported("propagationPolicy", name, ["Foreground", "Background", "Orphan", "nil"])])
      }
      policy = known
    }
    let isDryRun = try WriteOptions.isDryRun(request, kind: "DeleteOptions")
    self.init(
      gracePeriodSeconds: grace, propagation: policy ?? orphans.map { $0 ? .orphan : .background },
      uid: body[path: ["preconditions", "uid"]]?.stringValue,
      resourceVersion: body[path: ["preconditions", "resourceVersion"]]?.stringValue,
      isDryRun: isDryRun || body["dryRun"]?.arrayValue == ["All"])
  }
}
