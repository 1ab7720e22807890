import KubernetesAPI

/// Cluster IPs and node ports for Services. Nothing routes them in a sandbox; clients expect them to be there.
struct ServiceAddresses: Sendable {
  private var next = 1
  private var nextNodePort = 30_000

  /// The next address of 10.96.0.0/12, kubeadm's service range.
  mutating func clusterIP() -> String {
    next = next % ((1 << 20) - 2) + 1
    return "10.\(96 + (next >> 16)).\((next >> 8) & 255).\(next & 255)"
  }

  /// The next port of 30000-32767.
  mutating func nodePort() -> Int {
    defer { nextNodePort = nextNodePort == 32_767 ? 30_000 : nextNodePort + 1 }
    return nextNodePort
  }
}

extension ServiceAddresses {
  /// Fills in what a Service gets from the cluster; what it has already stays.
  mutating func assign(to service: inout JSONValue, previous: JSONValue?) {
    guard var spec = service["spec"] else { return }
    let type = spec["type"]?.stringValue ?? "ClusterIP"
    if type != "ExternalName" {
      let address =
        spec["clusterIP"]?.stringValue?.nilIfEmpty ?? previous?[path: ["spec", "clusterIP"]]?.stringValue ?? clusterIP()
      spec["clusterIP"] = .string(address)
      spec["clusterIPs"] = spec["clusterIPs"] ?? [.string(address)]
      spec["ipFamilies"] = spec["ipFamilies"] ?? ["IPv4"]
      spec["ipFamilyPolicy"] = spec["ipFamilyPolicy"] ?? "SingleStack"
    }
    if type == "NodePort" || type == "LoadBalancer" {
      let former = previous?[path: ["spec", "ports"]]?.arrayValue ?? []
      spec["ports"] = .array(
        (spec["ports"]?.arrayValue ?? []).map { port in
          var port = port
          let same = former.first { $0["port"] == port["port"] && $0["protocol"] == port["protocol"] }
          port["nodePort"] = port["nodePort"] ?? same?["nodePort"] ?? JSONValue(nodePort())
          return port
        })
    }
    service["spec"] = spec
  }
}
