import KubernetesAPI
import ObjectStore
import Telemetry

/// The store and the controllers every cluster has, as one value: ``settle(now:)`` runs them until nothing is left to do.
///
/// No clock, no task, no thread: an event of the store marks keys, a marked key is reconciled, which writes to the store. The
/// chain Deployment → ReplicaSet → Pod → node ends within one call.
struct ControlPlane {
  /// One thing to look at again.
  enum WorkItem: Hashable {
    case deployment(ObjectKey)
    case replicaSet(ObjectKey)
    case schedule(ObjectKey)
    case endpointSlices(ObjectKey)
    case disruptionBudget(ObjectKey)
    case expireEvents
  }

  /// A store event, for whoever acts outside of the store: the kubelet.
  struct Change {
    var type: ResourceType
    var event: WatchEvent
  }

  /// The bound of one ``settle(now:)``: beyond it the rest waits for the next call, so that other work gets its turn.
  static let stepsPerTurn = 2000

  var store: ObjectStore
  private(set) var view = ClusterView()
  var events = EventLog()
  let node: SandboxNode
  private let types: [ResourceType]
  private var seen = 0
  private var queue: [WorkItem] = []
  /// Items before this one are done.
  private var queueHead = 0
  private var queued: Set<WorkItem> = []
  private var delayed: [WorkItem: Duration] = [:]
  /// No item of ``delayed`` is due before; some may be later, so that thousands need not be looked at each time.
  private var noneDueBefore = Duration.zero
  private var failures: [WorkItem: Int] = [:]
  private var changes: [Change] = []

  /// - Parameter types: of all resources that the store serves.
  init(store: ObjectStore, types: [ResourceType], node: SandboxNode) {
    self.store = store
    self.types = types
    self.node = node
  }

  /// Runs the controllers until all is done or the turn's bound is reached. True when work is left.
  mutating func settle(now: Now) -> Bool {
    absorb()
    enqueueDue(now)
    var steps = 0
    var hasCollected = false
    repeat {
      while let item = queue.dropFirst(queueHead).first {
        guard steps < Self.stepsPerTurn else { return true }
        steps += 1
        dequeue(item)
        reconcile(item, now: now)
      }
      guard steps < Self.stepsPerTurn else { return true }
      steps += 1
      // What one round deleted may have dependents of its own, though no controller has work by it.
      hasCollected = store.collectGarbage(now: now.wall)
      if hasCollected { absorb() }
    } while hasCollected || !queue.isEmpty
    return false
  }

  private mutating func enqueueDue(_ now: Now) {
    guard noneDueBefore <= now.monotonic else { return }
    for (item, deadline) in delayed where deadline <= now.monotonic {
      delayed[item] = nil
      enqueue(item)
    }
    noneDueBefore = delayed.values.min() ?? .seconds(Int.max)
  }

  /// Takes the first item out of the queue.
  private mutating func dequeue(_ item: WorkItem) {
    queued.remove(item)
    queueHead += 1
    guard queueHead == queue.count || queueHead == 1024 else { return }
    queue.removeFirst(queueHead)
    queueHead = 0
  }

  /// When to call ``settle(now:)`` for the passing of time alone: there may be work then. Nil: there is none to come.
  var nextDeadline: Duration? { delayed.isEmpty ? nil : noneDueBefore }

  /// What happened since the last call, in order.
  mutating func takeChanges() -> [Change] {
    absorb()
    defer { changes = [] }
    return changes
  }

  mutating func enqueue(_ item: WorkItem) {
    delayed[item] = nil
    if queued.insert(item).inserted { queue.append(item) }
  }

  mutating func enqueue(_ item: WorkItem, after delay: Duration, now: Now) {
    let deadline = now.monotonic + delay
    if queued.contains(item) { return }
    if let present = delayed[item], present <= deadline { return }
    delayed[item] = deadline
    noneDueBefore = min(noneDueBefore, deadline)
  }

  /// Looks at an item again after a failure: 1 s, doubled up to a minute.
  mutating func retry(_ item: WorkItem, now: Now) {
    let count = failures[item, default: 0]
    failures[item] = count + 1
    enqueue(item, after: .seconds(min(60, 1 << min(count, 6))), now: now)
  }

  mutating func succeeded(_ item: WorkItem) { failures[item] = nil }

  private mutating func reconcile(_ item: WorkItem, now: Now) {
    switch item {
    case .deployment(let key): reconcileDeployment(key, now: now)
    case .replicaSet(let key): reconcileReplicaSet(key, now: now)
    case .schedule(let key): schedulePod(key, now: now)
    case .endpointSlices(let key): reconcileEndpointSlices(key, now: now)
    case .disruptionBudget(let key): reconcileDisruptionBudget(key, now: now)
    case .expireEvents: expireEvents(now: now)
    }
  }
}

// MARK: - Reading the store's events

extension ControlPlane {
  /// Takes in what was written since the last call.
  mutating func absorb() {
    let through = store.resourceVersion
    guard through > seen else { return }
    var batch: [(version: Int, change: Change)] = []
    for type in types {
      guard case .events(let events, _) = store.events(after: seen, matching: WatchSelection(type: type)) else {
        continue
      }
      batch += events.map { (Int($0.object.metadata.resourceVersion) ?? 0, Change(type: type, event: $0)) }
    }
    seen = through
    batch.sort { $0.version < $1.version }
    for (_, change) in batch {
      let previous = view.observe(change.event, of: change.type)
      mark(change, previous: previous)
      changes.append(change)
    }
  }

  private mutating func mark(_ change: Change, previous: KubernetesObject?) {
    let object = change.event.object
    let isGone = change.event.kind == .deleted
    if let owner = object.metadata.controller ?? previous?.metadata.controller { mark(owner, of: object) }
    switch change.type {
    case .deployments where !isGone: enqueue(.deployment(object.key))
    case .replicaSets where !isGone: enqueue(.replicaSet(object.key))
    case .podDisruptionBudgets where !isGone: enqueue(.disruptionBudget(object.key))
    case .services where !isGone: enqueue(.endpointSlices(object.key))
    case .endpointSlices:
      if let service = ClusterView.service(ofSlice: object) { enqueue(.endpointSlices(service)) }
    case .pods: markPod(object, previous: previous, isGone: isGone)
    default: break
    }
  }

  private mutating func mark(_ owner: OwnerReference, of object: KubernetesObject) {
    let key = ObjectKey(namespace: object.metadata.namespace, name: owner.name)
    switch owner.kind {
    case "Deployment": enqueue(.deployment(key))
    case "ReplicaSet":
      enqueue(.replicaSet(key))
      // `Recreate` waits for pods that the ReplicaSet no longer counts.
      if let deployment = view[.replicaSets, key]?.metadata.controller {
        enqueue(.deployment(ObjectKey(namespace: key.namespace, name: deployment.name)))
      }
    default: break
    }
  }

  private mutating func markPod(_ pod: KubernetesObject, previous: KubernetesObject?, isGone: Bool) {
    let namespace = pod.metadata.namespace
    let labels = pod.metadata.json["labels"] ?? [:]
    let oldLabels = previous?.metadata.json["labels"] ?? labels
    for service in view.list(.services, namespace: namespace) {
      let selector = service.spec["selector"]
      if labels.hasLabels(of: selector) || oldLabels.hasLabels(of: selector) { enqueue(.endpointSlices(service.key)) }
    }
    for budget in view.list(.podDisruptionBudgets, namespace: namespace) {
      let selector = budget.spec["selector"]
      if labels.isSelected(by: selector) || oldLabels.isSelected(by: selector) {
        enqueue(.disruptionBudget(budget.key))
      }
    }
    let isFinished = isGone || Pod(pod).isFinished
    if isFinished {
      for waiting in view.list(.pods) where Pod(waiting).nodeName.isEmpty { enqueue(.schedule(waiting.key)) }
    } else if Pod(pod).nodeName.isEmpty {
      enqueue(.schedule(pod.key))
    }
    if !isGone, pod.metadata.controller == nil, !pod.metadata.isBeingDeleted {
      for set in view.list(.replicaSets, namespace: namespace)
      where ReplicaSet(set).selector?.matches(pod.metadata.labels) == true { enqueue(.replicaSet(set.key)) }
    }
  }

  func isTerminating(namespace: String) -> Bool {
    view[.namespaces, ObjectKey(name: namespace)]?.metadata.isBeingDeleted ?? false
  }
}

// MARK: - Writing

extension ControlPlane {
  /// Performs an operation as a component of the cluster; its consequences are queued.
  @discardableResult
  mutating func perform(
    _ type: ResourceType, _ action: ObjectOperation.Action, subresource: String? = nil, as component: String, now: Now
  ) -> Result<KubernetesObject, KubernetesStatus> {
    let result = store.apply(
      ObjectOperation(type, action, subresource: subresource, fieldManager: component), now: now.wall)
    absorb()
    return result
  }

  /// Writes a status, when it differs from the stored one.
  mutating func writeStatus(_ type: ResourceType, _ object: KubernetesObject, as component: String, now: Now) {
    guard let stored = view[type, object.key], stored.metadata.uid == object.metadata.uid,
      stored.status != object.status
    else { return }
    var object = object
    object.metadata.json["resourceVersion"] = nil
    perform(type, .update(object), subresource: "status", as: component, now: now)
  }
}
