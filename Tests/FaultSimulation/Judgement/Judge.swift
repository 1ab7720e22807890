import FleetProtocol
import FoundationEssentials
import InferenceAPI
import KubernetesAPI
import KubernetesClient
import Telemetry

/// Holds every write of the controllers against what must never happen, with the truth at hand that they do not have.
///
/// - **One writer.** Whoever sends a write, other than of the leader's Lease and of Events, holds the Lease in the store at
///   that moment. A leader stops `renewDeadline` after its last renewal began, and others wait `leaseDuration` after they saw
///   it: so there is no moment at which another one holds the Lease and the old one still sends. What was sent before and
///   arrives later is the API server's to refuse: it is judged by the rules below.
/// - **Floor and ceiling.** A scale write lies within what the spec allows that its sender knew when its round began, or a
///   later one.
/// - **Only `/scale` scales.** A Deployment begins with no replica, and no other write changes their number.
/// - **No scale is undone.** A write that takes replicas away was sent after the last change of their number.
/// - **No scale to zero on missing data.** While a gateway could not be heard, the last burst replica is not taken, unless the
///   owner wants none or none is ready.
/// - **Slots.** At no replica are more requests in flight than it takes, over all gateways; but for a while after a gateway began anew
///   or a deal ran out, as decision 8 says.
/// - **Rest.** A settled cluster in which nothing happens is written to by nobody, but for the leader's Lease and the cost of
///   replicas that run.
/// - **No request is cut.** A replica that a scale-down takes was named in `status.drain`, and has no request in flight or has
///   been named for `timeouts.drain`, by any spec that its taker may know. Replicas of a deleted service go anyway; and one
///   that got ready while the scale-down was on its way was seen as not ready a moment before: no precondition covers that.
final class Judge: @unchecked Sendable {
  private unowned let world: World
  /// Nothing happens: only the leader's Lease is written.
  var isAtRest = false
  let specs = SpecHistory()
  private var lastHeard: [String: [String: Duration]] = [:]
  private var namedSince: [String: Duration] = [:]
  private var readySince: [String: Duration] = [:]
  private var scaledAt: [ObjectKey: Duration] = [:]
  private var slotsUnsureSince: Duration?

  /// Longest silence of a gateway after which the controller may still count on it (`LoadBoard.silence` is 5 s), with a round
  /// whose requests are slow and were put off.
  private static let mostSilence: Duration = .seconds(25)
  /// From a controller's last look at its pods to the arrival of the scale-down: some requests, each of which may be slow.
  private static let scaleDownTrip: Duration = .seconds(13)
  /// Of those that callers send, and some time for the leader.
  private static let longestRequest: Duration = .seconds(40)

  init(_ world: World) { self.world = world }

  func heard(_ gateway: SimulatedGateway, _ incarnation: Incarnation) {
    lastHeard[incarnation.identity, default: [:]][gateway.name] = world.time.elapsed
  }

  /// Something in the store changed.
  func look() {
    var named: Set<String> = []
    for service in world.api.store.objects(InferenceService.resourceType) {
      named.formUnion((service.status["drain"]?["pods"]?.arrayValue ?? []).compactMap(\.stringValue))
    }
    namedSince = namedSince.filter { named.contains($0.key) }
    for uid in named where namedSince[uid] == nil { namedSince[uid] = world.time.elapsed }
    let ready = Set(world.api.store.objects(.pods).lazy.map(Pod.init).filter(\.isReady).map(\.uid))
    readySince = readySince.filter { ready.contains($0.key) }
    for uid in ready where readySince[uid] == nil { readySince[uid] = world.time.elapsed }
  }

  // MARK: - When a request is placed

  /// A gateway began anew: it shares evenly, whatever the others have.
  func slotsAreUnsure() { slotsUnsureSince = world.time.elapsed }

  func placed(at pod: String) {
    let inFlight = world.gateways.map { $0.load.inFlight(at: pod) }
    let total = inFlight.reduce(0, +)
    guard total > GatewaySlots.limit else { return }
    let moments = world.gateways.map(\.slots.lapsedAt) + [slotsUnsureSince]
    if let last = moments.compactMap({ $0 }).max(), world.time.elapsed - last < Self.longestRequest { return }
    world.record.violate("too many: \(inFlight) requests at \(pod), which takes \(GatewaySlots.limit)")
  }

  // MARK: - When a write is sent

  func isSending(_ request: KubernetesRequest, _ incarnation: Incarnation) {
    if isAtRest, !Self.isOfLeaderLease(request), !tellsOfReplicas(request) {
      world.record.violate("no rest: \(incarnation.identity) sends \(request.summary)")
    }
    guard !Self.isFree(request) else { return }
    let holder = world.api.store.object(.leases, Self.leaderLease).map { Lease($0).holderIdentity }
    if holder != incarnation.identity {
      world.record.violate(
        "two writers: \(incarnation.identity) sends \(request.summary) while \(holder ?? "nobody") holds the Lease")
    }
    if let scale = ScaleWrite(request) { isSending(scale, incarnation) }
  }

  private func isSending(_ scale: ScaleWrite, _ incarnation: Incarnation) {
    let allowed = knownWishes(scale.service, incarnation)
    if !allowed.contains(where: { $0?.allows(scale) ?? true }) {
      world.record.violate(
        "out of bounds: \(incarnation.identity) scales \(scale.deployment) to \(scale.replicas); it may know "
          + allowed.compactMap { $0?.description }.joined(separator: " or "))
    }
    guard scale.isBurst, scale.replicas == 0, !allowed.contains(where: { $0?.wantsNoBurst ?? true }),
      let deployment = world.api.store.object(.deployments, scale.deployment),
      world.workloads.pods(of: deployment).contains(where: { $0.isReady && !$0.isTerminating })
    else { return }
    let heard = lastHeard[incarnation.identity] ?? [:]
    for gateway in world.gateways where gateway.isRunning {
      let silence = world.time.elapsed - (heard[gateway.name] ?? .zero)
      if silence > Self.mostSilence {
        world.record.violate(
          "scale to zero on missing data: \(incarnation.identity) takes the last of \(scale.deployment), and has not "
            + "heard \(gateway.name) for \(silence)")
      }
    }
  }

  /// Somebody else changed a Deployment's number of replicas.
  func scaledByHand(_ key: ObjectKey) { scaledAt[key] = world.time.elapsed }

  /// What the owner may want as far as a controller may know; nil: there is no service.
  private func knownWishes(_ service: ObjectKey, _ incarnation: Incarnation) -> [OwnersWish?] {
    // A round may be as long as a few slow requests.
    let slack: Duration = world.isCalm ? .seconds(5) : .seconds(45)
    return specs.since(incarnation.knownVersion(at: world.time.elapsed - slack), of: service)
  }

  /// A status of a service whose replicas run: what they cost changes all the time.
  private func tellsOfReplicas(_ request: KubernetesRequest) -> Bool {
    let parts = request.path.split(separator: "/").map(String.init)
    guard parts.count > 3, parts.last == "status" else { return false }
    let service = ObjectKey(namespace: parts[parts.count - 4], name: parts[parts.count - 2])
    return specs.latest(service).map { $0.mostDedicated > 0 && !$0.isSuspended } ?? false
  }

  // MARK: - When a write is done

  /// Does a request, and looks at what it did. - Parameter sent: when its sender sent it.
  func applying(
    _ request: KubernetesRequest, sent: Duration, _ incarnation: Incarnation, _ answer: () -> KubernetesResponse
  ) -> KubernetesResponse {
    guard request.method != .get, let key = Self.deployment(request) else { return answer() }
    let before = world.api.store.object(.deployments, key).map(Deployment.init)
    let response = answer()
    guard let after = world.api.store.object(.deployments, key).map(Deployment.init) else { return response }
    if ScaleWrite(request) == nil, after.replicas != (before?.replicas ?? 0) {
      world.record.violate(
        "scaled by the way: \(request.summary) of \(incarnation.identity) took \(key) from "
          + "\(before.map { "\($0.replicas)" } ?? "nothing") to \(after.replicas) replicas")
    }
    guard let before, after.replicas != before.replicas else { return response }
    if after.replicas < before.replicas {
      if let scaled = scaledAt[key], scaled > sent {
        world.record.violate("undone: \(incarnation.identity) takes \(key) to \(after.replicas) by what it knew before")
      }
      scaledDown(after, incarnation)
    }
    scaledAt[key] = world.time.elapsed
    return response
  }

  private func scaledDown(_ deployment: Deployment, _ incarnation: Incarnation) {
    guard let label = deployment.object.metadata.labels[Labels.service] else { return }
    let service = ObjectKey(namespace: deployment.object.metadata.namespace, name: label)
    guard specs.latest(service) != nil else { return }
    let timeout = knownWishes(service, incarnation).compactMap { $0?.drainTimeout }.min() ?? .zero
    for pod in world.workloads.victims(of: deployment) {
      if let since = readySince[pod.uid], world.time.elapsed - since < Self.scaleDownTrip { continue }
      let named = namedSince[pod.uid].map { world.time.elapsed - $0 }
      let inFlight = world.gateways.reduce(0) { $0 + $1.load.inFlight(at: pod.uid) }
      if pod.isReady, named == nil {
        world.record.violate("cut: \(incarnation.identity) takes \(pod.uid), which is ready and was not named")
      }
      if inFlight > 0, named ?? .zero < timeout - .seconds(1) {
        world.record.violate(
          "cut: \(incarnation.identity) takes \(pod.uid) with \(inFlight) in flight, named for "
            + "\(named.map { "\($0)" } ?? "no time")")
      }
    }
  }

  // MARK: - Which request is what

  static let leaderLease = ObjectKey(namespace: ActivationLease.defaultNamespace, name: "pilotlight-controller")

  static func isOfLeaderLease(_ request: KubernetesRequest) -> Bool {
    request.path.hasSuffix("/leases/\(leaderLease.name)")
  }

  /// Writes that not only the leader sends, or that change nothing.
  private static func isFree(_ request: KubernetesRequest) -> Bool {
    request.path.hasSuffix("/events") || request.path.contains("/events/")
      || request.path.hasSuffix("/namespaces/\(leaderLease.namespace)/leases")
      || isOfLeaderLease(request)
      || request.query.contains { $0.name == "dryRun" }
  }

  private static func deployment(_ request: KubernetesRequest) -> ObjectKey? {
    let parts = request.path.split(separator: "/").map(String.init)
    guard let index = parts.firstIndex(of: "deployments"), index >= 1, index + 1 < parts.count else { return nil }
    return ObjectKey(namespace: parts[index - 1], name: parts[index + 1])
  }
}

/// A write of a Deployment's `/scale`.
struct ScaleWrite {
  var deployment: ObjectKey
  var service: ObjectKey
  /// `burst`, `dedicated` or `canary`.
  var pool: String
  var replicas: Int
  var isBurst: Bool { pool == "burst" }

  init?(_ request: KubernetesRequest) {
    let parts = request.path.split(separator: "/").map(String.init)
    guard parts.count > 3, parts.last == "scale", parts[parts.count - 3] == "deployments",
      let replicas = (try? JSONValue(parsing: request.body))?[path: ["spec", "replicas"]]?.intValue
    else { return nil }
    let (namespace, name) = (parts[parts.count - 4], parts[parts.count - 2])
    deployment = ObjectKey(namespace: namespace, name: name)
    pool = name.split(separator: "-").last.map(String.init) ?? ""
    service = ObjectKey(namespace: namespace, name: String(name.dropLast(pool.count + 1)))
    self.replicas = replicas
  }
}
