import KubernetesAPI
import ObjectStore

/// Who sends a request: the sandbox's one administrator, by bearer token, or nobody.
struct Authenticator: Sendable {
  enum Verdict: Equatable {
    case admitted(APIUser)
    case refused(KubernetesStatus)
  }

  private let token: [UInt8]

  init(token: String) { self.token = Array(token.utf8) }

  /// Judges the `Authorization` field. Without one only what tells about the server itself is answered.
  func judge(authorization: String?, path: String, verb: String) -> Verdict {
    guard let authorization else {
      let open = ["/healthz", "/livez", "/readyz", "/version"]
      if open.contains(path) || open.contains(where: { path.hasPrefix($0 + "/") }) {
        return .admitted(APIUser(name: "system:anonymous", groups: ["system:unauthenticated"]))
      }
      return .refused(
        KubernetesStatus(
          code: 403, reason: "Forbidden",
          message: "forbidden: User \"system:anonymous\" cannot \(verb) path \"\(path)\"", details: .init()))
    }
    let scheme = authorization.prefix(7).lowercased()
    let given = Array(authorization.utf8.dropFirst(7).drop { $0 == UInt8(ascii: " ") })
    guard scheme == "bearer ", Self.equalInConstantTime(given, token) else {
      return .refused(KubernetesStatus(code: 401, reason: "Unauthorized", message: "Unauthorized"))
    }
    return .admitted(.admin)
  }

  /// Compares without telling by its time how much of a guess was right.
  static func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    var difference = left.count ^ right.count
    for index in right.indices {
      difference |= Int(right[index] ^ (index < left.count ? left[index] : 0))
    }
    return difference == 0
  }
}
