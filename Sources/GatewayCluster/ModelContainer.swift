import Gateway
import KubernetesAPI

/// What a pod template says of the container that serves the model: how it is talked to, and what it is probed with.
struct ModelContainer: Equatable, Sendable {
  /// It wants TLS: its port is named `https`, or its readiness probe asks that port by HTTPS.
  let speaksTLS: Bool
  /// Its readiness probe, where a gateway may run it before the kubelet has: http or tcp, and nothing else in the pod that
  /// has a say in whether it is ready.
  let earlyProbe: ReadinessProbe?

  /// - Parameters:
  ///   - template: `{metadata, spec}` of a pod.
  ///   - port: number of the port that serves.
  init?(template: JSONValue, port: Int) {
    let containers = template["spec"]?["containers"]?.arrayValue ?? []
    let serving = containers.firstIndex { Self.ports(of: $0).contains { $0["containerPort"]?.intValue == port } }
    guard let index = serving ?? containers.indices.first else { return nil }
    let container = containers[index]
    let probe = container["readinessProbe"]
    let name = Self.ports(of: container).first { $0["containerPort"]?.intValue == port }?["name"]?.stringValue
    let asksByTLS =
      probe?["httpGet"]?["scheme"]?.stringValue == "HTTPS"
      && Self.number(probe?["httpGet"]?["port"], in: container) == port
    speaksTLS = name == "https" || asksByTLS
    let isAlone = containers.indices.allSatisfy { other in
      containers[other]["startupProbe"] == nil && (other == index || containers[other]["readinessProbe"] == nil)
    }
    let hasGates = !(template["spec"]?["readinessGates"]?.arrayValue ?? []).isEmpty
    earlyProbe = isAlone && !hasGates ? probe.flatMap { Self.early($0, in: container) } : nil
  }

  private static func early(_ probe: JSONValue, in container: JSONValue) -> ReadinessProbe? {
    let delay = Duration.seconds(probe["initialDelaySeconds"]?.intValue ?? 0)
    if let get = probe["httpGet"] {
      // Another host than the pod is not the gateway's to ask.
      guard get["host"]?.stringValue ?? "" == "", let port = number(get["port"], in: container) else { return nil }
      var headers: [String: String] = [:]
      for header in get["httpHeaders"]?.arrayValue ?? [] {
        if let name = header["name"]?.stringValue { headers[name] = header["value"]?.stringValue ?? "" }
      }
      let path = get["path"]?.stringValue ?? "/"
      return ReadinessProbe(
        action: .get(
          path: path.hasPrefix("/") ? path : "/" + path, headers: headers,
          isTLS: get["scheme"]?.stringValue == "HTTPS"),
        port: port, delay: delay)
    }
    guard let socket = probe["tcpSocket"], socket["host"]?.stringValue ?? "" == "",
      let port = number(socket["port"], in: container)
    else { return nil }
    return ReadinessProbe(action: .connect, port: port, delay: delay)
  }

  private static func ports(of container: JSONValue) -> [JSONValue] { container["ports"]?.arrayValue ?? [] }

  /// A port's number, by number or by name.
  private static func number(_ port: JSONValue?, in container: JSONValue) -> Int? {
    if let number = port?.intValue { return number }
    guard let name = port?.stringValue else { return nil }
    return Int(name) ?? ports(of: container).first { $0["name"]?.stringValue == name }?["containerPort"]?.intValue
  }
}
