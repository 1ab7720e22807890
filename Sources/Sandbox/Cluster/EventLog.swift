import KubernetesAPI
import ObjectStore
import Telemetry

/// Which Events were written lately, so that a repetition raises a count instead of adding an object.
struct EventLog {
  /// What makes two Events the same.
  struct Identity: Hashable {
    var uid: String
    var type: String
    var reason: String
    var message: String
    var component: String
  }

  /// Events older than this are removed, as by the API server (`--event-ttl`).
  static let timeToLive = Duration.seconds(3600)
  /// Beyond this many the oldest go first.
  static let capacity = 2000

  private(set) var entries: [Identity: (key: ObjectKey, count: Int, lastSeen: Duration)] = [:]
  private var serial = 0

  mutating func note(_ identity: Identity, object: String, namespace: String, now: Duration) -> (ObjectKey, Int) {
    if var entry = entries[identity], now - entry.lastSeen < Self.timeToLive {
      entry.count += 1
      entry.lastSeen = now
      entries[identity] = entry
      return (entry.key, entry.count)
    }
    serial += 1
    let name = "\(object.prefix(220)).\(String(now.components.seconds, radix: 16)).\(String(serial, radix: 16))"
    let key = ObjectKey(namespace: namespace, name: name)
    entries[identity] = (key, 1, now)
    return (key, 1)
  }

  /// Forgets and returns what is too old or too much.
  mutating func takeExpired(now: Duration) -> [ObjectKey] {
    let ordered = entries.sorted { ($0.value.lastSeen, $0.value.key) < ($1.value.lastSeen, $1.value.key) }
    let excess = max(0, ordered.count - Self.capacity)
    let expired = ordered.enumerated().filter {
      $0.offset < excess || now - $0.element.value.lastSeen >= Self.timeToLive
    }
    for (_, entry) in expired { entries[entry.key] = nil }
    return expired.map(\.element.value.key)
  }
}

extension ControlPlane {
  /// Writes an Event about an object (v1 Event; `kubectl describe` shows it).
  mutating func record(
    on object: KubernetesObject, _ type: PodLifecycle.EventType = .normal, reason: String, message: String,
    component: String, now: Now
  ) {
    let namespace = object.metadata.namespace.isEmpty ? "default" : object.metadata.namespace
    if isTerminating(namespace: namespace) { return }
    let identity = EventLog.Identity(
      uid: object.metadata.uid, type: type.rawValue, reason: reason, message: message, component: component)
    let (key, count) = events.note(
      identity, object: object.metadata.name, namespace: namespace, now: now.monotonic)
    let time = JSONValue.string(Timestamp.seconds(now.wall))
    if count > 1 {
      let patch: JSONValue = ["count": JSONValue(count), "lastTimestamp": time]
      if case .success = perform(.events, .mergePatch(key, patch), as: component, now: now) { return }
    }
    var event = KubernetesObject(.events, key)
    event.json["involvedObject"] = [
      "apiVersion": .string(object.apiVersion), "kind": .string(object.kind), "name": .string(object.metadata.name),
      "namespace": .string(object.metadata.namespace), "uid": .string(object.metadata.uid),
      "resourceVersion": .string(object.metadata.resourceVersion),
    ]
    event.json["type"] = .string(type.rawValue)
    event.json["reason"] = .string(reason)
    event.json["message"] = .string(String(message.prefix(1024)))
    event.json["source"] = ["component": .string(component)]
    event.json["reportingComponent"] = .string(component)
    event.json["reportingInstance"] = ""
    event.json["firstTimestamp"] = time
    event.json["lastTimestamp"] = time
    event.json["count"] = JSONValue(count)
    perform(.events, .create(event), as: component, now: now)
    enqueue(.expireEvents, after: .seconds(300), now: now)
  }

  /// Removes Events whose time is over.
  mutating func expireEvents(now: Now) {
    for key in events.takeExpired(now: now.monotonic) {
      perform(.events, .delete(key, DeleteOptions()), as: "event-ttl", now: now)
    }
    if !events.entries.isEmpty { enqueue(.expireEvents, after: .seconds(300), now: now) }
  }
}
