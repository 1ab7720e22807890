import FoundationEssentials
import KubernetesAPI

extension ObjectStore {
  func readCollection(
    _ request: APIRequest, _ path: ResourcePath, encoder: ObjectEncoder, now: Date
  ) throws(KubernetesStatus) -> APIResponse {
    let selection = try selection(request, path)
    if request.isFlagSet("watch") { return .watch(try watch(request, selection, encoder: encoder)) }
    return .body(try list(request, selection, encoder: encoder, now: now))
  }

  /// Objects that the query selects. - Throws: 400 for selectors that cannot be read or are not supported.
  func selection(_ request: APIRequest, _ path: ResourcePath) throws(KubernetesStatus) -> WatchSelection {
    var selection = WatchSelection(type: path.type, namespace: path.type.isNamespaced ? path.namespace : "")
    do {
      selection.labels = try LabelSelector(parsing: request.parameter("labelSelector") ?? "")
      selection.fields = try FieldSelector(parsing: request.parameter("fieldSelector") ?? "")
    } catch { throw .badRequest(error.message) }
    let selectable = path.definition.behaviour.selectableFields
    for term in selection.fields.terms where !["metadata.name", "metadata.namespace"].contains(term.field) {
      guard let value = selectable[term.field] else {
        throw .badRequest("field label not supported: \(term.field)")
      }
      selection.fieldValues[term.field] = value
    }
    if let name = path.name { selection.fields.terms.append(.init(field: "metadata.name", value: name)) }
    return selection
  }

  /// `resourceVersion=` of a read; nil when absent, "" or "0". - Throws: 504 when it is ahead of the store.
  func requestedVersion(_ request: APIRequest) throws(KubernetesStatus) -> Int? {
    guard let text = request.parameter("resourceVersion"), !text.isEmpty, text != "0" else { return nil }
    guard let version = Int(text), version > 0 else {
      throw .badRequest("Invalid value: \"\(text)\": strconv.ParseUint: parsing \"\(text)\": invalid syntax")
    }
    if version > resourceVersion, !request.isFlagSet("watch") {
      throw .tooLarge(version: version, current: resourceVersion)
    }
    return version
  }

  // MARK: List

  private func list(
    _ request: APIRequest, _ selection: WatchSelection, encoder: ObjectEncoder, now: Date
  ) throws(KubernetesStatus) -> APIBody {
    try checkListOptions(request)
    let limit = max(0, request.parameter("limit").flatMap { Int($0) } ?? 0)
    let token = try request.parameter("continue")?.nilIfEmpty.map { text throws(KubernetesStatus) in
      try ContinueToken(text)
    }
    let version = try requestedVersion(request)
    let history = collection(selection.type).history
    if let token, token.resourceVersion < history.compactedThrough {
      throw KubernetesStatus(
        code: 410, reason: "Expired",
        message: "The provided continue parameter is too old to display a consistent list result. You can start a new "
          + "list without the continue parameter.")
    }
    if request.parameter("resourceVersionMatch") == "Exact", let version, version < history.lastVersion {
      throw KubernetesStatus(
        code: 410, reason: "Expired", message: "The resourceVersion for the provided list is too old.")
    }
    let page = page(selection, after: token?.start, limit: limit)
    let shown = token?.resourceVersion ?? resourceVersion
    var metadata: JSONValue = ["resourceVersion": .string(String(shown))]
    if page.remaining > 0, let last = page.objects.last {
      metadata["continue"] = .string(ContinueToken(resourceVersion: shown, start: last.key).text)
      // With selectors the API server does not know how many are left.
      if selection.labels.isEmpty, selection.fields.isEmpty {
        metadata["remainingItemCount"] = JSONValue(page.remaining)
      }
    }
    return APIBody(json: encoder.list(page.objects, metadata: metadata, now: now))
  }

  private func checkListOptions(_ request: APIRequest) throws(KubernetesStatus) {
    guard let match = request.parameter("resourceVersionMatch"), !match.isEmpty else { return }
    let version = request.parameter("resourceVersion") ?? ""
    var causes: [KubernetesStatus.Cause] = []
    let field = "resourceVersionMatch"
    if match != "Exact", match != "NotOlderThan" {
      causes.append(.notSupported(field, match, ["Exact", "NotOlderThan", ""]))
    } else if version.isEmpty {
      causes.append(.forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
    } else if match == "Exact", version == "0" {
      causes.append(
        .forbidden(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""))
    } else if request.parameter("continue")?.isEmpty == false {
      causes.append(.forbidden(field, "resourceVersionMatch is forbidden when continue is provided"))
    }
    if !causes.isEmpty { throw .invalid(kind: "ListOptions", group: "meta.k8s.io", name: "", causes) }
  }

  private func page(
    _ selection: WatchSelection, after start: ObjectKey?, limit: Int
  ) -> (objects: [KubernetesObject], remaining: Int) {
    guard limit > 0 || start != nil else { return (objects(selection), 0) }
    let collection = collection(selection.type)
    let keys = collection.keys(in: selection.namespace, after: start)
    var page: [KubernetesObject] = []
    for (index, key) in zip(keys.indices, keys) {
      guard let object = collection[key], selection.matches(object) else { continue }
      if limit > 0, page.count == limit { return (page, keys.endIndex - index) }
      page.append(object)
    }
    return (page, 0)
  }

  // MARK: Watch

  private func watch(
    _ request: APIRequest, _ selection: WatchSelection, encoder: ObjectEncoder
  ) throws(KubernetesStatus) -> WatchRequest {
    let allowsBookmarks = request.isFlagSet("allowWatchBookmarks")
    let streamsList = request.isFlagSet("sendInitialEvents")
    if streamsList, request.parameter("resourceVersionMatch") != "NotOlderThan" {
      throw .invalid(
        kind: "ListOptions", group: "meta.k8s.io", name: "",
        [
          .forbidden(
            "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        ])
    }
    let version = try requestedVersion(request)
    var opening: [WatchEvent] = []
    var reached = version ?? resourceVersion
    if streamsList || version == nil {
      if let version, version > resourceVersion { throw .tooLarge(version: version, current: resourceVersion) }
      opening = objects(selection).map { WatchEvent(.added, $0) }
      reached = resourceVersion
      if streamsList, allowsBookmarks {
        opening.append(.bookmark(selection.type, resourceVersion: reached, endsInitialEvents: true))
      }
    } else if case .expired(let status) = events(after: reached, matching: selection) {
      opening = [WatchEvent(.error, KubernetesObject(status.json))]
    }
    return WatchRequest(
      selection: selection, timeoutSeconds: request.parameter("timeoutSeconds").flatMap { Int($0) },
      allowsBookmarks: allowsBookmarks, resourceVersion: reached, opening: opening, encoder: encoder)
  }
}

extension ChangeHistory {
  /// Of the latest change, compacted ones included.
  var lastVersion: Int { changes.last?.resourceVersion ?? compactedThrough }
}

/// Where the next page of a list starts; opaque to clients.
struct ContinueToken: Hashable {
  var resourceVersion: Int
  /// The last object of the page before.
  var start: ObjectKey

  init(resourceVersion: Int, start: ObjectKey) {
    self.resourceVersion = resourceVersion
    self.start = start
  }

  /// - Throws: 400 when the text is no token of this server.
  init(_ text: String) throws(KubernetesStatus) {
    guard let data = Data(base64Encoded: text), let json = try? JSONValue(parsing: Array(data)),
      let version = json["rv"]?.intValue, let name = json["name"]?.stringValue
    else { throw .badRequest("invalid continue token: \(text)") }
    resourceVersion = version
    start = ObjectKey(namespace: json["namespace"]?.stringValue ?? "", name: name)
  }

  var text: String {
    let json: JSONValue = [
      "v": "meta.k8s.io/v1", "rv": JSONValue(resourceVersion), "namespace": .string(start.namespace),
      "name": .string(start.name),
    ]
    return Data(json.bytes).base64EncodedString()
  }
}
