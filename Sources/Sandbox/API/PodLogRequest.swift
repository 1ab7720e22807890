import FoundationEssentials
import KubernetesAPI
import ObjectStore

/// `GET /api/v1/namespaces/NS/pods/NAME/log` with its options.
struct PodLogRequest {
  var pod: ObjectKey
  /// Nil: the pod's first.
  var container: String?
  var options: LogOptions

  /// Nil when the request is for something else.
  /// - Throws: what is wrong with an option, as the API says it.
  init?(_ request: APIRequest, now: Date) throws(KubernetesStatus) {
    let path = request.segments
    guard request.method == "GET", path.count == 7, path[0] == "api", path[1] == "v1", path[2] == "namespaces",
      path[4] == "pods", path[6] == "log"
    else { return nil }
    pod = ObjectKey(namespace: path[3], name: path[5])
    container = request.parameter("container").flatMap { $0.isEmpty ? nil : $0 }
    options = LogOptions()
    options.follows = Self.flag(request, "follow")
    options.usesPrevious = Self.flag(request, "previous")
    options.showsTimestamps = Self.flag(request, "timestamps")
    options.tailLines = try Self.number(request, "tailLines", least: 0)
    options.limitBytes = try Self.number(request, "limitBytes", least: 1)
    if let seconds = try Self.number(request, "sinceSeconds", least: 1) {
      options.since = now.addingTimeInterval(-Double(seconds))
    } else if let text = request.parameter("sinceTime"), !text.isEmpty {
      guard let time = Timestamp.parse(text) else {
        throw Self.invalid("sinceTime", text, "must be a time in RFC 3339")
      }
      options.since = time
    }
  }

  private static func flag(_ request: APIRequest, _ name: String) -> Bool {
    request.parameter(name).map { $0.isEmpty || $0 == "true" || $0 == "1" } ?? false
  }

  private static func number(
    _ request: APIRequest, _ name: String, least: Int
  ) throws(KubernetesStatus) -> Int? {
    guard let text = request.parameter(name), !text.isEmpty else { return nil }
    guard let number = Int(text), number >= least else {
      throw invalid(name, text, "must be greater than or equal to \(least)")
    }
    return number
  }

  private static func invalid(_ field: String, _ value: String, _ rule: String) -> KubernetesStatus {
    let cause = KubernetesStatus.Cause(
      reason: "FieldValueInvalid", message: "Invalid value: \(value): \(rule)", field: field)
    return KubernetesStatus(
      code: 422, reason: "Invalid", message: "PodLogOptions \"\" is invalid: \(field): \(cause.message)",
      details: .init(name: "", group: nil, kind: "PodLogOptions", causes: [cause]))
  }
}

extension Kubelet {
  /// The log that a request means.
  /// - Throws: the API's answer when there is none.
  func log(for request: PodLogRequest) throws(KubernetesStatus) -> ContainerLog {
    let name = request.pod.name
    guard let pod = lookUp(.pods, request.pod) else {
      throw KubernetesStatus(
        code: 404, reason: "NotFound", message: "pods \"\(name)\" not found", details: .init(name: name, kind: "pods"))
    }
    guard let worker = worker(request.pod) else {
      let container = Pod(pod).containers.first?["name"]?.stringValue ?? ""
      throw Self.badRequest(
        Pod(pod).nodeName.isEmpty
          ? "pod \(name) does not have a host assigned"
          : "container \"\(request.container ?? container)\" in pod \"\(name)\" is not available")
    }
    let container = request.container ?? worker.containerName
    guard container == worker.containerName else {
      throw Self.badRequest("container \(container) is not valid for pod \(name)")
    }
    if request.options.usesPrevious {
      guard let log = worker.previousLog else {
        throw Self.badRequest("previous terminated container \"\(container)\" in pod \"\(name)\" not found")
      }
      return log
    }
    guard let log = worker.log else {
      var reason = "ContainerCreating"
      if case .waiting(let waiting) = worker.state { reason = waiting.reason }
      throw Self.badRequest("container \"\(container)\" in pod \"\(name)\" is waiting to start: \(reason)")
    }
    return log
  }

  private static func badRequest(_ message: String) -> KubernetesStatus {
    KubernetesStatus(code: 400, reason: "BadRequest", message: message)
  }
}
