import FoundationEssentials

/// Answers of `GET /v1/models` and `GET /v1/models/<name>` in OpenAI's form, made from the view: asleep or not.
enum ModelList {
  /// All models, or those of one service.
  static func list(_ view: RoutingView, service: Int?) -> [UInt8] {
    var json = JSONText()
    json.raw(#"{"object":"list","data":["#)
    var isFirst = true
    for (name, index) in view.names.listed where service == nil || service == index {
      if !isFirst { json.raw(",") }
      isFirst = false
      write(name, view.services[index], to: &json)
    }
    json.raw("]}\n")
    return json.bytes
  }

  /// One model by any of its names; nil: there is none.
  static func describe(_ name: String, _ view: RoutingView) -> [UInt8]? {
    guard let target = view.names.target(model: name, services: view.services) else { return nil }
    var json = JSONText()
    write(name, view.services[target.service], to: &json)
    json.raw("\n")
    return json.bytes
  }

  private static func write(_ name: String, _ service: ServiceRoute, to json: inout JSONText) {
    json.raw(#"{"id":"#)
    json.string(name)
    json.raw(#","object":"model","created":"#)
    json.raw(String(service.createdUnix))
    json.raw(#","owned_by":"#)
    json.string(service.key.namespace)
    json.raw("}")
  }
}

extension ServiceRoute {
  /// Creation time in seconds since 1970; 0 when it is unknown.
  fileprivate var createdUnix: Int {
    (try? Date(created, strategy: .iso8601)).map { Int($0.timeIntervalSince1970) } ?? 0
  }
}
