import FoundationEssentials
import KubernetesAPI
import ObjectStore
import Telemetry

extension ControlPlane {
  static let endpointSliceController = "endpointslice-controller"
  private static let managedBy = "endpointslice.kubernetes.io/managed-by"
  private static let triggerTime = "endpoints.kubernetes.io/last-change-trigger-time"

  /// Keeps the EndpointSlices of a Service equal to the pods it selects (kube-controller-manager, `pkg/controller/endpointslice`).
  mutating func reconcileEndpointSlices(_ key: ObjectKey, now: Now) {
    let slices = view.slices(ofService: key).filter {
      $0.metadata.labels[Self.managedBy] == "endpointslice-controller.k8s.io"
    }
    guard let service = view[.services, key], !service.metadata.isBeingDeleted,
      Service(service).selector != nil, !isTerminating(namespace: key.namespace)
    else { return }
    let selector = service.spec["selector"]
    let pods = view.list(.pods, namespace: key.namespace).filter {
      ($0.metadata.json["labels"] ?? [:]).hasLabels(of: selector)
    }
    let wanted = EndpointSlicePlan.slices(of: Service(service), pods: pods)
    // The plan's order is stable, so slices are matched in order: first by their ports, then whatever is left.
    var unused = slices
    for plan in wanted {
      let index = unused.firstIndex { plan.hasPorts(of: $0) } ?? unused.indices.first
      write(plan, service: service, over: index.map { unused.remove(at: $0) }, now: now)
    }
    for slice in unused {
      perform(
        .endpointSlices, .delete(slice.key, DeleteOptions(uid: slice.metadata.uid)), as: Self.endpointSliceController,
        now: now)
    }
  }

  private mutating func write(
    _ plan: EndpointSlicePlan, service: KubernetesObject, over present: KubernetesObject?, now: Now
  ) {
    var labels = service.metadata.labels
    labels["kubernetes.io/service-name"] = service.metadata.name
    labels[Self.managedBy] = "endpointslice-controller.k8s.io"
    if Service(service).isHeadless { labels["service.kubernetes.io/headless"] = "" }
    if var slice = present {
      let isSame =
        slice.json["endpoints"] == plan.endpointsJSON && plan.hasPorts(of: slice) && slice.metadata.labels == labels
      if isSame { return }
      if plan.hasReadinessChange(from: slice) {
        slice.metadata.annotations[Self.triggerTime] = Self.nanoseconds(now.wall)
      }
      slice.metadata.labels = labels
      slice.json["endpoints"] = plan.endpointsJSON
      slice.json["ports"] = plan.portsJSON
      perform(.endpointSlices, .update(slice), as: Self.endpointSliceController, now: now)
      return
    }
    var metadata: JSONValue = [
      "generateName": .string("\(service.metadata.name)-"), "namespace": .string(service.metadata.namespace),
      "labels": JSONValue(labels), "ownerReferences": [OwnerReference(controlledBy: service).json],
    ]
    if !plan.endpoints.isEmpty { metadata["annotations"] = [Self.triggerTime: .string(Self.nanoseconds(now.wall))] }
    let slice: JSONValue = [
      "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
      "endpoints": plan.endpointsJSON, "ports": plan.portsJSON,
    ]
    perform(.endpointSlices, .create(KubernetesObject(slice)), as: Self.endpointSliceController, now: now)
  }

  /// RFC 3339 with nine digits, as Go's RFC3339Nano; the clock's microseconds are what a Date holds.
  private static func nanoseconds(_ date: Date) -> String {
    String(Timestamp.microseconds(date).dropLast()) + "000Z"
  }
}

/// What one EndpointSlice of a Service should say.
struct EndpointSlicePlan: Equatable {
  /// `maxEndpointsPerSlice` of the controller.
  static let capacity = 100

  var ports: [JSONValue]
  var endpoints: [JSONValue]

  var portsJSON: JSONValue { ports.isEmpty ? .null : .array(ports) }
  var endpointsJSON: JSONValue { .array(endpoints) }

  /// Slices of a Service: one per set of resolved ports and hundred endpoints; one empty one when no pod is selected.
  static func slices(of service: Service, pods: [KubernetesObject]) -> [EndpointSlicePlan] {
    var groups: [(ports: [JSONValue], endpoints: [JSONValue])] = []
    for pod in pods {
      let view = Pod(pod)
      guard !view.podIP.isEmpty, !view.isFinished else { continue }
      let ports = resolvePorts(of: service, pod: pod)
      if ports.isEmpty, !service.ports.isEmpty { continue }
      let endpoint = endpoint(for: view, publishesNotReady: service.publishesNotReadyAddresses)
      if let index = groups.firstIndex(where: { $0.ports == ports }) {
        groups[index].endpoints.append(endpoint)
      } else {
        groups.append((ports, [endpoint]))
      }
    }
    let plans = groups.flatMap { group in
      stride(from: 0, to: group.endpoints.count, by: capacity).map { start in
        EndpointSlicePlan(
          ports: group.ports, endpoints: Array(group.endpoints[start..<min(start + capacity, group.endpoints.count)]))
      }
    }
    return plans.isEmpty ? [EndpointSlicePlan(ports: [], endpoints: [])] : plans
  }

  private static func endpoint(for pod: Pod, publishesNotReady: Bool) -> JSONValue {
    let isTerminating = pod.isTerminating
    return [
      "addresses": [.string(pod.podIP)],
      "conditions": [
        "ready": .bool(publishesNotReady || (pod.isReady && !isTerminating)), "serving": .bool(pod.isReady),
        "terminating": .bool(isTerminating),
      ],
      "nodeName": .string(pod.nodeName),
      "targetRef": [
        "kind": "Pod", "namespace": .string(pod.object.metadata.namespace), "name": .string(pod.object.metadata.name),
        "uid": .string(pod.uid),
      ],
    ]
  }

  /// A Service's ports at one pod; a port that the pod does not name is left out.
  private static func resolvePorts(of service: Service, pod: KubernetesObject) -> [JSONValue] {
    service.ports.compactMap { port in
      let target = port["targetPort"] ?? port["port"]
      var number = target?.intValue
      if number == nil, let name = target?.stringValue {
        let declared = Pod(pod).containers.flatMap { $0["ports"]?.arrayValue ?? [] }
        number = declared.first { $0["name"]?.stringValue == name }?["containerPort"]?.intValue
      }
      guard let number else { return nil }
      var json: JSONValue = [
        "name": port["name"] ?? "", "protocol": port["protocol"] ?? "TCP", "port": JSONValue(number),
      ]
      json["appProtocol"] = port["appProtocol"]
      return json
    }
  }

  func hasPorts(of slice: KubernetesObject) -> Bool { (slice.json["ports"]?.arrayValue ?? []) == ports }

  /// Whether an endpoint came, went, or changed its conditions, compared with what the slice says.
  func hasReadinessChange(from slice: KubernetesObject) -> Bool { slice.json["endpoints"] != endpointsJSON }
}
