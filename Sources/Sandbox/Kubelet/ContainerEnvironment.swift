import FoundationEssentials
import KubernetesAPI

/// A container's environment, command line and folder, resolved (Pod API: `env`, `envFrom`, `$(NAME)` references).
struct ContainerEnvironment: Sendable {
  /// Name to value.
  private(set) var variables: [String: String]

  /// Why a container cannot be configured; becomes `CreateContainerConfigError`.
  struct Problem: Error, Equatable {
    var message: String
  }

  /// Reads Secrets and ConfigMaps of the pod's namespace.
  typealias Lookup = (ResourceType, ObjectKey) -> KubernetesObject?

  /// - Parameter base: what a container image would bring, here PATH and the like of the sandbox's own environment.
  init(pod: KubernetesObject, container: JSONValue, address: String, base: [String: String], lookup: Lookup)
    throws(Problem)
  {
    variables = base
    let namespace = pod.metadata.namespace
    for source in container["envFrom"]?.arrayValue ?? [] {
      let prefix = source["prefix"]?.stringValue ?? ""
      for (type, field) in [(ResourceType.configMaps, "configMapRef"), (.secrets, "secretRef")] {
        guard let reference = source[field], let name = reference["name"]?.stringValue else { continue }
        guard let object = lookup(type, ObjectKey(namespace: namespace, name: name)) else {
          if reference["optional"]?.boolValue == true { continue }
          throw Problem(message: "\(type.kind.lowercased()) \"\(name)\" not found")
        }
        for (key, value) in Self.data(of: object, type) { variables[prefix + key] = value }
      }
    }
    for entry in container["env"]?.arrayValue ?? [] {
      guard let name = entry["name"]?.stringValue else { continue }
      if let from = entry["valueFrom"] {
        if let value = try Self.resolve(from, pod: pod, container: container, address: address, lookup: lookup) {
          variables[name] = value
        }
      } else {
        variables[name] = expand(entry["value"]?.stringValue ?? "")
      }
    }
  }

  /// Replaces `$(NAME)` by the variable's value; `$$(NAME)` and unknown names stay (kubernetes/third_party/expansion).
  func expand(_ text: String) -> String {
    var result = ""
    var rest = Substring(text)
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[rest.index(after: dollar)...]
      if rest.first == "$" {
        result += "$"
        rest = rest.dropFirst()
      } else if rest.first == "(", let end = rest.firstIndex(of: ")") {
        let name = String(rest[rest.index(after: rest.startIndex)..<end])
        result += variables[name] ?? "$(\(name))"
        rest = rest[rest.index(after: end)...]
      } else {
        result += "$"
      }
    }
    return result + rest
  }

  /// `NAME=value`, sorted by name.
  var list: [String] { variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } }

  private static func data(of object: KubernetesObject, _ type: ResourceType) -> [String: String] {
    let data = (object.json["data"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
    guard type == .secrets else { return data }
    return data.compactMapValues { Data(base64Encoded: $0).map { String(decoding: $0, as: UTF8.self) } }
  }

  private static func resolve(
    _ source: JSONValue, pod: KubernetesObject, container: JSONValue, address: String, lookup: Lookup
  ) throws(Problem) -> String? {
    if let path = source[path: ["fieldRef", "fieldPath"]]?.stringValue {
      return try field(path, of: pod, address: address)
    }
    if let reference = source["resourceFieldRef"] { return try resource(reference, of: container) }
    for (type, field) in [(ResourceType.configMaps, "configMapKeyRef"), (.secrets, "secretKeyRef")] {
      guard let reference = source[field] else { continue }
      let name = reference["name"]?.stringValue ?? ""
      let key = reference["key"]?.stringValue ?? ""
      let isOptional = reference["optional"]?.boolValue ?? false
      guard let object = lookup(type, ObjectKey(namespace: pod.metadata.namespace, name: name)) else {
        if isOptional { return nil }
        throw Problem(message: "\(type.kind.lowercased()) \"\(name)\" not found")
      }
      if let value = data(of: object, type)[key] { return value }
      if isOptional { return nil }
      throw Problem(message: "couldn't find key \(key) in \(type.kind) \(object.key)")
    }
    return nil
  }

  private static func field(
    _ path: String, of pod: KubernetesObject, address: String
  ) throws(Problem) -> String {
    switch path {
    case "metadata.name": return pod.metadata.name
    case "metadata.namespace": return pod.metadata.namespace
    case "metadata.uid": return pod.metadata.uid
    case "spec.nodeName": return pod.spec["nodeName"]?.stringValue ?? ""
    case "spec.serviceAccountName": return pod.spec["serviceAccountName"]?.stringValue ?? "default"
    case "status.podIP", "status.podIPs": return address
    case "status.hostIP", "status.hostIPs": return PodLifecycle.hostAddress
    default:
      for (prefix, map) in [
        ("metadata.labels['", pod.metadata.labels), ("metadata.annotations['", pod.metadata.annotations),
      ] where path.hasPrefix(prefix) && path.hasSuffix("']") {
        return map[String(path.dropFirst(prefix.count).dropLast(2))] ?? ""
      }
      throw Problem(message: "fieldPath \"\(path)\" is not supported")
    }
  }

  private static func resource(_ reference: JSONValue, of container: JSONValue) throws(Problem) -> String {
    let name = reference["resource"]?.stringValue ?? ""
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    guard parts.count == 2, ["limits", "requests"].contains(parts[0]) else {
      throw Problem(message: "resourceFieldRef.resource \"\(name)\" is not limits.NAME or requests.NAME")
    }
    let value = container[path: ["resources", parts[0], parts[1]]].flatMap(Quantity.init(json:))
    let divisor = reference["divisor"].flatMap(Quantity.init(json:))?.thousandths ?? 0
    guard let value else { return "0" }
    // Rounded up, as the API says.
    let unit = divisor > 0 ? divisor : 1000
    return String(value.thousandths / unit + (value.thousandths % unit == 0 ? 0 : 1))
  }
}
