import FoundationEssentials
import KubernetesAPI
import Telemetry

/// Keeps Events few, as a value: the same news again raises a count, many similar ones become one, and an object that never
/// stops talking is rationed. Rules and defaults: client-go's `EventCorrelator`, with a faster refill.
public struct EventCorrelator: Sendable {
  /// Something that happened to an object.
  public struct Occurrence: Hashable, Sendable {
    public var object: KubernetesObject
    public var kind: EventKind
    public var reason: String
    public var message: String

    public init(object: KubernetesObject, kind: EventKind, reason: String, message: String) {
      self.object = object
      self.kind = kind
      self.reason = reason
      self.message = message
    }
  }

  public enum Effect: Hashable, Sendable {
    case create(KubernetesObject)
    /// A merge patch of the Event with that key; `whole` is what to create if it is gone by now.
    case patch(ObjectKey, JSONValue, whole: KubernetesObject)
    case drop
  }

  private struct Kin: Hashable {
    var subject: String
    var kind: EventKind
    var reason: String
  }

  private struct Story {
    var event: KubernetesObject
    var count: Int
    var lastSeen: Duration
  }

  private struct Crowd {
    var messages: Set<String> = []
    var since: Duration
    var lastSeen: Duration
  }

  private struct Ration {
    var tokens: Double
    var at: Duration
  }

  /// Different messages of one kind within ``window`` before they are told as one.
  private static let similarLimit = 10
  private static let window: Duration = .seconds(600)
  private static let burst = 25.0
  private static let refillPerSecond = 1.0 / 30

  private let component: String
  private let instance: String
  private let capacity: Int
  private var stories: [Kin: [String: Story]] = [:]
  private var crowds: [Kin: Crowd] = [:]
  private var rations: [String: Ration] = [:]
  private var serial = 0

  /// - Parameters:
  ///   - component: who reports: `pilotlight-controller`.
  ///   - instance: which process of it.
  ///   - capacity: objects, and kinds of news, that are remembered; the longest unheard are forgotten first.
  public init(component: String, instance: String, capacity: Int = 4096) {
    self.component = component
    self.instance = instance
    self.capacity = max(1, capacity)
  }

  /// How many objects are remembered.
  var rememberedSubjects: Int { rations.count }

  public mutating func handle(_ occurrence: Occurrence, now: Now) -> Effect {
    let subject = Self.subject(occurrence.object)
    guard spend(subject, now.monotonic) else { return .drop }
    let kin = Kin(subject: subject, kind: occurrence.kind, reason: occurrence.reason)
    let isCrowd = join(kin, occurrence.message, now.monotonic)
    let message = isCrowd ? "(combined from similar events): \(occurrence.message)" : occurrence.message
    let slot = isCrowd ? "" : message
    forgetOld(now.monotonic)
    if var story = stories[kin]?[slot], now.monotonic - story.lastSeen < Self.window {
      return tellAgain(&story, kin, slot, message, now)
    }
    let event = newEvent(occurrence, message, now)
    stories[kin, default: [:]][slot] = Story(event: event, count: 1, lastSeen: now.monotonic)
    return .create(event)
  }

  private mutating func tellAgain(
    _ story: inout Story, _ kin: Kin, _ slot: String, _ message: String, _ now: Now
  ) -> Effect {
    story.count += 1
    story.lastSeen = now.monotonic
    let change: JSONValue = [
      "count": JSONValue(story.count), "lastTimestamp": .string(Timestamp.seconds(now.wall)),
      "message": .string(message),
    ]
    for (name, value) in change.objectValue ?? [:] { story.event.json[name] = value }
    stories[kin]?[slot] = story
    return .patch(story.event.key, change, whole: story.event)
  }

  private mutating func newEvent(_ occurrence: Occurrence, _ message: String, _ now: Now) -> KubernetesObject {
    let object = occurrence.object
    serial += 1
    let stamp = Int(now.wall.timeIntervalSince1970 * 1_000_000)
    // Names may have 253 characters; the stamp makes them differ.
    let name = "\(object.metadata.name.prefix(220)).\(String(stamp, radix: 16)).\(String(serial, radix: 16))"
    let namespace = object.metadata.namespace.isEmpty ? "default" : object.metadata.namespace
    var reference: JSONValue = [
      "apiVersion": .string(object.apiVersion), "kind": .string(object.kind), "name": .string(object.metadata.name),
      "uid": .string(object.metadata.uid),
    ]
    if !object.metadata.namespace.isEmpty { reference["namespace"] = .string(object.metadata.namespace) }
    if !object.metadata.resourceVersion.isEmpty {
      reference["resourceVersion"] = .string(object.metadata.resourceVersion)
    }
    var event = KubernetesObject(.events, ObjectKey(namespace: namespace, name: name))
    let time = JSONValue.string(Timestamp.seconds(now.wall))
    event.json["involvedObject"] = reference
    event.json["type"] = .string(occurrence.kind.rawValue)
    event.json["reason"] = .string(occurrence.reason)
    event.json["message"] = .string(message)
    event.json["count"] = 1
    event.json["firstTimestamp"] = time
    event.json["lastTimestamp"] = time
    event.json["source"] = ["component": .string(component)]
    event.json["reportingComponent"] = .string(component)
    event.json["reportingInstance"] = .string(instance)
    return event
  }

  /// Whether the subject may speak: a token bucket.
  private mutating func spend(_ subject: String, _ now: Duration) -> Bool {
    var ration = rations[subject] ?? Ration(tokens: Self.burst, at: now)
    ration.tokens = min(Self.burst, ration.tokens + (now - ration.at).seconds * Self.refillPerSecond)
    ration.at = now
    let isAllowed = ration.tokens >= 1
    if isAllowed { ration.tokens -= 1 }
    rations[subject] = ration
    return isAllowed
  }

  /// Whether too many different messages of one kind came of late.
  private mutating func join(_ kin: Kin, _ message: String, _ now: Duration) -> Bool {
    var crowd = crowds[kin] ?? Crowd(since: now, lastSeen: now)
    if now - crowd.since > Self.window {
      crowd = Crowd(since: now, lastSeen: now)
      stories[kin] = stories[kin]?.filter { now - $0.value.lastSeen < Self.window }
    }
    crowd.lastSeen = now
    if crowd.messages.count <= Self.similarLimit { crowd.messages.insert(message) }
    crowds[kin] = crowd
    return crowd.messages.count > Self.similarLimit
  }

  private mutating func forgetOld(_ now: Duration) {
    if crowds.count > capacity {
      let keep = crowds.sorted { $0.value.lastSeen > $1.value.lastSeen }.prefix(capacity / 2)
      crowds = Dictionary(uniqueKeysWithValues: keep.map { ($0.key, $0.value) })
      stories = stories.filter { crowds[$0.key] != nil }
    }
    if rations.count > capacity {
      let keep = rations.sorted { $0.value.at > $1.value.at }.prefix(capacity / 2)
      rations = Dictionary(uniqueKeysWithValues: keep.map { ($0.key, $0.value) })
    }
  }

  private static func subject(_ object: KubernetesObject) -> String {
    "\(object.apiVersion)/\(object.kind)/\(object.key)/\(object.metadata.uid)"
  }
}

/// `type` of an Event.
public enum EventKind: String, Sendable {
  case normal = "Normal"
  case warning = "Warning"
}
