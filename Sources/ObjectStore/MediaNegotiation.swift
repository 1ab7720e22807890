import KubernetesAPI

/// In which form a client wants objects.
enum Representation: Hashable, Sendable {
  case object
  /// `as=Table`, version v1 or v1beta1 of meta.k8s.io.
  case table(version: String)
  /// `as=PartialObjectMetadata` or its List.
  case metadata(version: String)
}

/// One element of an Accept header: a media type with parameters.
struct MediaRange: Hashable, Sendable {
  var type: String
  var parameters: [String: String]

  /// In the client's order; quality values are ignored, as Kubernetes clients list what they prefer first.
  static func parse(_ header: String) -> [MediaRange] {
    header.split(separator: ",").map { element in
      let pieces = element.split(separator: ";").map { String($0.filter { $0 != " " && $0 != "\t" }) }
      var parameters: [String: String] = [:]
      for piece in pieces.dropFirst() {
        guard let mark = piece.firstIndex(of: "=") else { continue }
        parameters[String(piece[..<mark])] = String(piece[piece.index(after: mark)...])
      }
      return MediaRange(type: (pieces.first ?? "").lowercased(), parameters: parameters)
    }
  }

  var isJSON: Bool { type == "application/json" || type == "application/*" || type == "*/*" }
}

enum MediaNegotiation {
  /// What a real API server could serve; named in the 406.
  static let accepted = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]

  /// The first form of the Accept header that can be served. - Throws: 406.
  static func representation(accept: String?) throws(KubernetesStatus) -> Representation {
    guard let accept, !accept.isEmpty else { return .object }
    for range in MediaRange.parse(accept) where range.isJSON {
      guard let form = range.parameters["as"] else { return .object }
      guard range.parameters["g"] == "meta.k8s.io", let version = range.parameters["v"],
        version == "v1" || version == "v1beta1"
      else { continue }
      switch form {
      case "Table": return .table(version: version)
      case "PartialObjectMetadata", "PartialObjectMetadataList": return .metadata(version: version)
      default: continue
      }
    }
    throw .notAcceptable(accepted: accepted)
  }
}
