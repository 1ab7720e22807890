import FleetProtocol

/// A fault that is put into a controller on purpose: a simulation that finds none of them proves nothing.
enum PlantedBug: String, CaseIterable, Sendable {
  /// A conflict counts as success.
  case conflictForgotten = "conflict-forgotten"
  /// Scale-downs have no resource version.
  case scaleDownUnconditional = "scale-down-unconditional"
  /// Objects are made without an owner.
  case ownersForgotten = "owners-forgotten"
  /// Deletions are overlooked.
  case deletionsOverlooked = "deletions-overlooked"
  /// A watch that expired (410) is begun again where it ended.
  case expiryOverlooked = "expiry-overlooked"
  /// A gateway that cannot be heard has no requests.
  case silenceIsZero = "silence-is-zero"
  /// Every controller leads.
  case noElection = "no-election"
  /// A renewal of the Lease that fails counts as success.
  case leadsOn = "leads-on"
  /// Windows and Leases run on the wall clock.
  case monotonicFollowsWall = "monotonic-follows-wall"
  /// Replicas are scaled down before gateways have let go of them.
  case drainsAreNotWaitedFor = "drains-not-waited-for"
  /// Nobody is told of drains.
  case drainsAreNotTold = "drains-not-told"
  /// Deployments are applied with a number of replicas.
  case appliesReplicas = "applies-replicas"
  /// Every scale is one more than was decided.
  case ceilingIgnored = "ceiling-ignored"
  /// Activation Leases are not deleted once they have done their work.
  case leasesAreLeft = "leases-left"
  /// Slots change hands at once, before who had them has let go.
  case dealsJump = "deals-jump"
}

extension PlantedBug {
  /// The only seeds among which it is looked for: in the others it does next to no harm, and that takes long to see. Nil: all.
  var theme: Theme? {
    switch self {
    case .conflictForgotten: .streams
    case .scaleDownUnconditional: .contention
    case .silenceIsZero: .silence
    default: nil
    }
  }

  /// A line of a load stream that says that every drain is seen, and nothing is in flight.
  static func withoutRequests(_ line: [UInt8]) -> [UInt8] {
    guard var snapshot = try? LoadSnapshot(line: line) else { return line }
    for index in snapshot.services.indices {
      snapshot.services[index].inFlightByPod = [:]
      snapshot.services[index].drainEpochSeen = 1 << 40
    }
    return (try? snapshot.encodedLine()) ?? line
  }

  /// Deals without their first step.
  static func atOnce(_ message: SlotMessage) -> SlotMessage {
    var message = message
    for index in message.services.indices {
      guard let next = message.services[index].next else { continue }
      message.services[index].weights = next
      message.services[index].next = nil
    }
    return message
  }
}
