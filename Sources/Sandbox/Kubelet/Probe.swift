import KubernetesAPI

/// Which question a probe answers (Pod API, "Container probes").
enum ProbeKind: String, Hashable, Sendable, CaseIterable {
  case startup = "Startup"
  case readiness = "Readiness"
  case liveness = "Liveness"

  /// The container's field that holds it.
  var field: String {
    switch self {
    case .startup: "startupProbe"
    case .readiness: "readinessProbe"
    case .liveness: "livenessProbe"
    }
  }
}

/// What a probe or a hook does (`ProbeHandler`, `LifecycleHandler`).
enum ContainerAction: Hashable, Sendable {
  /// Any status from 200 to 399 is success. `host` nil: the pod's address.
  case httpGet(host: String?, port: Int, path: String, headers: [HTTPField], usesTLS: Bool)
  case tcpSocket(host: String?, port: Int)
  case exec(command: [String])
  case sleep(Duration)
  /// A handler that the sandbox cannot perform; the text says why.
  case unsupported(String)

  struct HTTPField: Hashable, Sendable {
    var name: String
    var value: String
  }
}

extension ContainerAction {
  /// Reads a handler; nil when `json` names none. Named ports are those of `container`.
  init?(_ json: JSONValue, container: JSONValue) {
    if let http = json["httpGet"] {
      guard let port = Self.port(http["port"], of: container) else {
        self = .unsupported("httpGet.port: \(http["port"]?.text ?? "") is no port of the container")
        return
      }
      let headers = (http["httpHeaders"]?.arrayValue ?? []).compactMap { header -> HTTPField? in
        guard let name = header["name"]?.stringValue else { return nil }
        return HTTPField(name: name, value: header["value"]?.stringValue ?? "")
      }
      let path = http["path"]?.stringValue ?? "/"
      self = .httpGet(
        host: http["host"]?.stringValue, port: port, path: path.hasPrefix("/") ? path : "/" + path, headers: headers,
        usesTLS: http["scheme"]?.stringValue == "HTTPS")
    } else if let tcp = json["tcpSocket"] {
      guard let port = Self.port(tcp["port"], of: container) else {
        self = .unsupported("tcpSocket.port: \(tcp["port"]?.text ?? "") is no port of the container")
        return
      }
      self = .tcpSocket(host: tcp["host"]?.stringValue, port: port)
    } else if let exec = json["exec"] {
      self = .exec(command: (exec["command"]?.arrayValue ?? []).compactMap(\.stringValue))
    } else if let sleep = json["sleep"] {
      self = .sleep(.seconds(sleep["seconds"]?.intValue ?? 0))
    } else if json["grpc"] != nil {
      self = .unsupported("grpc probes are not performed by the sandbox")
    } else {
      return nil
    }
  }

  /// A port by number or by the name of one of the container's ports.
  private static func port(_ value: JSONValue?, of container: JSONValue) -> Int? {
    if let number = value?.intValue { return (1...65535).contains(number) ? number : nil }
    guard let name = value?.stringValue else { return nil }
    let named = (container["ports"]?.arrayValue ?? []).first { $0["name"]?.stringValue == name }
    return named?["containerPort"]?.intValue ?? Int(name)
  }
}

/// A probe of a container with the API's defaults filled in.
struct Probe: Hashable, Sendable {
  var action: ContainerAction
  var initialDelay: Duration
  var period: Duration
  var timeout: Duration
  var successThreshold: Int
  var failureThreshold: Int
  /// Nil: the pod's own grace period.
  var terminationGracePeriod: Duration?

  init?(_ kind: ProbeKind, of container: JSONValue) {
    guard let json = container[kind.field], let action = ContainerAction(json, container: container) else { return nil }
    self.action = action
    initialDelay = .seconds(max(0, json["initialDelaySeconds"]?.intValue ?? 0))
    period = .seconds(max(1, json["periodSeconds"]?.intValue ?? 10))
    timeout = .seconds(max(1, json["timeoutSeconds"]?.intValue ?? 1))
    successThreshold = max(1, json["successThreshold"]?.intValue ?? 1)
    failureThreshold = max(1, json["failureThreshold"]?.intValue ?? 3)
    terminationGracePeriod = json["terminationGracePeriodSeconds"]?.intValue.map { .seconds($0) }
  }
}

/// The answer of one attempt.
enum ProbeResult: Hashable, Sendable {
  case success
  /// What went wrong, for the `Unhealthy` event.
  case failure(String)
}

/// Counts a probe's answers against its thresholds.
///
/// A container that has not passed yet may be asked every 20 to 50 ms rather than once a period, so that readiness is seen
/// at once; such extra failures count only once a period, so thresholds keep their meaning.
struct ProbeTracker: Sendable {
  let probe: Probe
  /// Nil until a threshold is reached for the first time.
  private(set) var isPassing: Bool?
  private var successes = 0
  private var failures = 0
  /// When the current period began.
  private var periodStart: Duration
  /// When the container started.
  private let start: Duration

  enum Verdict: Equatable { case unchanged, passed, counted, failed }

  init(_ probe: Probe, start: Duration) {
    self.probe = probe
    self.start = start
    periodStart = start + probe.initialDelay
  }

  /// When to ask first, from the container's start.
  var firstDelay: Duration { max(probe.initialDelay, .milliseconds(5)) }

  /// Takes an answer. `.counted`: a failure that counts but has not reached the threshold.
  mutating func record(_ result: ProbeResult, now: Duration) -> Verdict {
    switch result {
    case .success:
      failures = 0
      successes += 1
      periodStart = now
      guard successes >= probe.successThreshold, isPassing != true else { return .unchanged }
      isPassing = true
      return .passed
    case .failure:
      if isPassing == nil {
        guard now - periodStart >= probe.period else { return .unchanged }
      }
      periodStart = now
      successes = 0
      failures += 1
      guard failures >= probe.failureThreshold else { return .counted }
      isPassing = false
      return .failed
    }
  }

  /// The wait before the next question. `isUrgent`: somebody waits for this probe to pass.
  func delay(isUrgent: Bool, now: Duration) -> Duration {
    guard isUrgent, isPassing != true, successes == 0 else { return probe.period }
    if case .exec = probe.action { return min(probe.period, .milliseconds(250)) }
    return min(max((now - start) / 100, .milliseconds(20)), .milliseconds(50))
  }
}
