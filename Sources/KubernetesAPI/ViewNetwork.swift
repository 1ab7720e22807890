/// A thin view of `discovery.k8s.io/v1 EndpointSlice`.
public struct EndpointSlice: Hashable, Sendable {
  public var object: KubernetesObject
  public init(_ object: KubernetesObject) { self.object = object }

  /// One address set of the slice.
  public struct Endpoint: Hashable, Sendable {
    public var json: JSONValue
    public init(json: JSONValue) { self.json = json }
    public var addresses: [String] { (json["addresses"]?.arrayValue ?? []).compactMap(\.stringValue) }
    /// Absent means true, as the API says.
    public var isReady: Bool { json["conditions"]?["ready"]?.boolValue ?? true }
    public var isServing: Bool { json["conditions"]?["serving"]?.boolValue ?? isReady }
    public var isTerminating: Bool { json["conditions"]?["terminating"]?.boolValue ?? false }
    /// It serves and is not on its way out.
    public var takesTraffic: Bool { isServing && !isTerminating }
    public var hostname: String? { json["hostname"]?.stringValue }
    /// What it is called among its like: the pod's name; of what is no pod the host's name, else the address.
    public var name: String? { podName ?? hostname ?? addresses.first }
    public var nodeName: String? { json["nodeName"]?.stringValue }
    /// Name of the pod behind the address; nil when the target is no pod.
    public var podName: String? {
      json["targetRef"]?["kind"]?.stringValue == "Pod" ? json["targetRef"]?["name"]?.stringValue : nil
    }
    public var podUID: String? {
      json["targetRef"]?["kind"]?.stringValue == "Pod" ? json["targetRef"]?["uid"]?.stringValue : nil
    }
  }

  public var serviceName: String { object.metadata.labels["kubernetes.io/service-name"] ?? "" }
  public var endpoints: [Endpoint] { (object.json["endpoints"]?.arrayValue ?? []).map(Endpoint.init(json:)) }
  /// Port numbers by port name; the unnamed port has the name "".
  public var ports: [String: Int] {
    (object.json["ports"]?.arrayValue ?? []).reduce(into: [:]) { ports, port in
      if let number = port["port"]?.intValue { ports[port["name"]?.stringValue ?? ""] = number }
    }
  }
  /// `endpoints.kubernetes.io/last-change-trigger-time`: when the pod change happened that this slice tells of.
  public var lastChangeTriggerTime: String? {
    object.metadata.annotations["endpoints.kubernetes.io/last-change-trigger-time"]
  }
}

/// A thin view of `v1 Service`.
public struct Service: Hashable, Sendable {
  public var object: KubernetesObject
  public init(_ object: KubernetesObject) { self.object = object }

  /// Nil: the service selects nothing and somebody else writes its endpoints.
  public var selector: LabelSelector? {
    guard let labels = object.spec["selector"]?.objectValue, !labels.isEmpty else { return nil }
    return LabelSelector(matchLabels: labels.compactMapValues(\.stringValue))
  }
  public var isHeadless: Bool { object.spec["clusterIP"]?.stringValue == "None" }
  public var ports: [JSONValue] { object.spec["ports"]?.arrayValue ?? [] }
  public var publishesNotReadyAddresses: Bool { object.spec["publishNotReadyAddresses"]?.boolValue ?? false }
}
