import KubernetesAPI

/// Reads request bodies: JSON, and the protobuf forms that kubectl sends.
enum RequestBody {
  static let accepted = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]

  /// The object of a POST or PUT. - Throws: 415 for other content types, 400 for what cannot be read.
  static func object(_ request: APIRequest, expecting type: ResourceType) throws(KubernetesStatus) -> JSONValue {
    if try isProtobuf(request) {
      guard let json = ProtobufBody.decode(request.body) else {
        throw .unsupportedMediaType(accepted: Array(accepted.prefix(2)))
      }
      return json
    }
    do { return try JSONValue(parsing: request.body) } catch {
      let start = String(decoding: request.body.prefix(64), as: UTF8.self)
      throw .badRequest(
        "the object provided is unrecognized (must be of type \(type.kind)): couldn't get version/kind; "
          + "json parse error: \(error.message) (\(start))")
    }
  }

  static func deleteOptions(_ request: APIRequest) throws(KubernetesStatus) -> JSONValue {
    if try isProtobuf(request), let json = ProtobufBody.decode(request.body) { return json }
    do { return try JSONValue(parsing: request.body) } catch {
      throw .badRequest("couldn't get version/kind; json parse error: \(error.message)")
    }
  }

  /// No content type means JSON. YAML is read as far as it is JSON.
  private static func isProtobuf(_ request: APIRequest) throws(KubernetesStatus) -> Bool {
    guard let header = request.header("Content-Type"), let type = MediaRange.parse(header).first?.type, !type.isEmpty
    else { return false }
    guard accepted.contains(type) else { throw .unsupportedMediaType(accepted: accepted) }
    return type == "application/vnd.kubernetes.protobuf"
  }
}
