import HTTPWire

/// Which service each name and host belongs to.
///
/// Of two services that claim one name the older holds it (Gateway API's rule for routes; ties by key); the younger still
/// answers to `namespace/name`.
struct NameTable: Sendable {
  /// Index of a service and what to write instead of the name that found it.
  struct Target: Hashable, Sendable {
    var service: Int
    /// Nil: the name stays as it is.
    var rename: String?
  }

  private(set) var byKey: [String: Int] = [:]
  private(set) var byModel: [String: Target] = [:]
  private(set) var byHost: [String: Int] = [:]
  /// Names as `GET /v1/models` lists them: sorted, each with its service.
  private(set) var listed: [(name: String, service: Int)] = []
  /// The same hosts, those under the domain among them, and keys, to be found by bytes.
  private(set) var hosts = NameIndex()
  private(set) var keys = NameIndex()
  private let domainSuffix: [UInt8]

  init(services: [ServiceRoute], domain: String) {
    domainSuffix = Array(".\(domain)".utf8)
    let byAge = services.indices.sorted {
      (services[$0].created, services[$0].key) < (services[$1].created, services[$1].key)
    }
    for index in byAge {
      let service = services[index]
      byKey[service.key.description] = index
      for host in service.hostnames {
        claim(&byHost, HostName.normalized(host), index)
      }
      for name in [service.key.name, service.modelName] + service.aliases + service.adapters {
        claim(&byModel, name, Target(service: index, rename: service.rename(name)))
      }
    }
    listed = byModel.map { (name: $0.key, service: $0.value.service) }
    let shown = Set(listed.map(\.service))
    for index in services.indices where !shown.contains(index) || byModel[services[index].key.name]?.service != index {
      listed.append((name: services[index].key.description, service: index))
    }
    listed.sort { $0.name < $1.name }
    keys = NameIndex(byKey)
    var allHosts = byHost
    for (index, service) in services.enumerated() {
      claim(&allHosts, "\(service.key.name).\(service.key.namespace).\(domain)", index)
    }
    hosts = NameIndex(allHosts)
  }

  /// Whether a host's name, without port and dot at its end, lies under the domain.
  func isWithinDomain(_ name: UnsafeRawBufferPointer) -> Bool {
    guard name.count >= domainSuffix.count else { return false }
    let tail = UnsafeRawBufferPointer(rebasing: name[(name.count - domainSuffix.count)...])
    return tail.equalsIgnoringCase(domainSuffix)
  }

  /// The service that a `model` value names. `namespace/name` always works, so it is looked at first.
  func target(model: String, services: [ServiceRoute]) -> Target? {
    if let index = byKey[model] { return Target(service: index, rename: services[index].rename(model)) }
    return byModel[model]
  }

  private func claim<Value>(_ table: inout [String: Value], _ name: String, _ value: Value) {
    if table[name] == nil { table[name] = value }
  }
}

/// Host names as they are compared.
enum HostName {
  /// Lower case, without port and without a dot at either end.
  static func normalized(_ host: String) -> String {
    var name = Substring(host)
    if name.hasPrefix("[") {
      name = name.prefix(through: name.firstIndex(of: "]") ?? name.index(before: name.endIndex))
    } else if let colon = name.firstIndex(of: ":") {
      name = name[..<colon]
    }
    while name.hasSuffix(".") { name = name.dropLast() }
    while name.hasPrefix(".") { name = name.dropFirst() }
    return name.utf8.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) })
      ? name.lowercased() : String(name)
  }
}
