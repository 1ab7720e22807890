import Decisions

/// What one gateway carries at one moment: a line of its load stream.
///
/// Sent at once when something changes that matters (the first held request of a sleeping model), else every second.
/// Counters are cumulative since the gateway's start, which `bootID` names: a lost line loses nothing.
public struct LoadSnapshot: Codable, Hashable, Sendable {
  /// Path of the stream on a gateway's admin port.
  public static let path = "/fleet/v1/load"
  /// Media type of the stream: one JSON object per line.
  public static let contentType = "application/x-ndjson"

  public var version: Int
  /// Identity of the gateway, stable over its life (pod name).
  public var gateway: String
  /// Changes whenever the gateway's counters start at zero.
  public var bootID: String
  /// Counts the snapshots of this boot.
  public var sequence: Int
  /// Services with load, or with a change since the last snapshot (a new drain epoch is one); one that is left out carries
  /// nothing and its counters stand still. The first snapshot of a stream has all that ever had a request or a drain.
  public var services: [ServiceLoad]
  /// Whether the gateway takes ``SlotMessage``s; nil: it is of a version that does not.
  public var takesSlots: Bool?

  public init(
    version: Int = FleetVersion.current, gateway: String, bootID: String, sequence: Int, services: [ServiceLoad],
    takesSlots: Bool? = nil
  ) {
    self.version = version
    self.gateway = gateway
    self.bootID = bootID
    self.sequence = sequence
    self.services = services
    self.takesSlots = takesSlots
  }
}

/// One model's load at one gateway.
public struct ServiceLoad: Codable, Hashable, Sendable {
  public var namespace: String
  public var name: String
  /// Requests waiting at the gateway.
  public var held: Int
  /// Requests sent to replicas and not yet answered in full.
  public var inFlight: Int
  /// The same by pod UID.
  public var inFlightByPod: [String: Int]
  /// Requests that arrived since the gateway's start.
  public var requestsTotal: Int
  /// Integral of `held + inFlight` over time since the gateway's start, in request-seconds.
  public var concurrencySeconds: Double
  /// Wall time, in seconds since 1970, when the oldest held request arrived.
  public var heldSinceUnix: Double?
  /// Wall time, in seconds since 1970, of the last request's arrival.
  public var lastRequestUnix: Double?
  /// The latest `status.drain.epoch` that this gateway acts on, whether or not it has requests there: the controller waits
  /// for every gateway to have seen it.
  public var drainEpochSeen: Int
  /// Requests that the replicas which take any carry at once, over all gateways; nil: not told.
  public var capacity: Int?
  /// The part of ``capacity`` that is this gateway's now.
  public var slots: Int?
  /// Epoch of the latest ``ServiceSlots`` if the gateway keeps to it: at no replica does it have more in flight than the
  /// newest of its deals gives it. Nil: it does not yet, or slots are shared evenly.
  public var slotsEpoch: Int?
  /// Answers of the canary's replicas since the gateway's start, while there was a canary; nil: not counted.
  public var canaryAnswers: AnswerCount?
  /// Answers of the other replicas over the same time; nil: not counted.
  public var stableAnswers: AnswerCount?
  /// Tokens of the requests that have ended since the gateway's start; nil: not counted, or no answer has told them.
  public var promptTokensTotal: Int?
  /// Tokens of their answers; events of a stream where the server does not say.
  public var outputTokensTotal: Int?
  /// Seconds from a replica's slot to the first token, by ``ServiceTotals/bucket(concurrency:)``; nil: not measured.
  public var firstTokens: [SampleSums]?
  /// Seconds that requests occupied their slots.
  public var serviceTimes: SampleSums?
  /// Seconds between arrivals.
  public var arrivalGaps: SampleSums?
  /// What the ledger is made of; nil: not counted, or nothing to count yet. After the first snapshot of a stream it has only
  /// what has changed.
  public var account: ServiceAccount?

  public init(
    namespace: String, name: String, held: Int = 0, inFlight: Int = 0, inFlightByPod: [String: Int] = [:],
    requestsTotal: Int = 0, concurrencySeconds: Double = 0, heldSinceUnix: Double? = nil,
    lastRequestUnix: Double? = nil, drainEpochSeen: Int = 0, capacity: Int? = nil, slots: Int? = nil,
    slotsEpoch: Int? = nil, canaryAnswers: AnswerCount? = nil, stableAnswers: AnswerCount? = nil,
    promptTokensTotal: Int? = nil, outputTokensTotal: Int? = nil, service: ServiceTotals? = nil,
    account: ServiceAccount? = nil
  ) {
    self.namespace = namespace
    self.name = name
    self.held = held
    self.inFlight = inFlight
    self.inFlightByPod = inFlightByPod
    self.requestsTotal = requestsTotal
    self.concurrencySeconds = concurrencySeconds
    self.heldSinceUnix = heldSinceUnix
    self.lastRequestUnix = lastRequestUnix
    self.drainEpochSeen = drainEpochSeen
    self.capacity = capacity
    self.slots = slots
    self.slotsEpoch = slotsEpoch
    self.canaryAnswers = canaryAnswers
    self.stableAnswers = stableAnswers
    self.promptTokensTotal = promptTokensTotal
    self.outputTokensTotal = outputTokensTotal
    firstTokens = service?.firstTokens.map(\.inShortNumbers)
    serviceTimes = service?.occupied.inShortNumbers
    arrivalGaps = service?.gaps.inShortNumbers
    self.account = account
  }
}

extension ServiceLoad {
  /// What was answered by the canary and beside it; nil: not counted.
  public var answers: AnswerMeter.Total? {
    guard let canaryAnswers, let stableAnswers else { return nil }
    return AnswerMeter.Total(canary: canaryAnswers, stable: stableAnswers)
  }

  /// Tokens of prompts and answers; nil: not counted.
  public var tokensTotal: Int? {
    guard let promptTokensTotal, let outputTokensTotal else { return nil }
    return promptTokensTotal + outputTokensTotal
  }

  /// How long answers took and how requests came; nil: not measured.
  public var service: ServiceTotals? {
    guard let firstTokens, let serviceTimes, let arrivalGaps else { return nil }
    return ServiceTotals(firstTokens: firstTokens, occupied: serviceTimes, gaps: arrivalGaps)
  }

  private enum CodingKeys: String, CodingKey {
    case namespace, name, held, inFlight, inFlightByPod, requestsTotal, concurrencySeconds, heldSinceUnix
    case lastRequestUnix, drainEpochSeen, capacity, slots, slotsEpoch, canaryAnswers, stableAnswers
    case promptTokensTotal, outputTokensTotal, firstTokens, serviceTimes, arrivalGaps
    case account
  }

  /// Only the name must be there: a neighbour version may leave out what it does not count.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      namespace: try values.decode(String.self, forKey: .namespace),
      name: try values.decode(String.self, forKey: .name),
      held: try values.decodeIfPresent(Int.self, forKey: .held) ?? 0,
      inFlight: try values.decodeIfPresent(Int.self, forKey: .inFlight) ?? 0,
      inFlightByPod: try values.decodeIfPresent([String: Int].self, forKey: .inFlightByPod) ?? [:],
      requestsTotal: try values.decodeIfPresent(Int.self, forKey: .requestsTotal) ?? 0,
      concurrencySeconds: try values.decodeIfPresent(Double.self, forKey: .concurrencySeconds) ?? 0,
      heldSinceUnix: try values.decodeIfPresent(Double.self, forKey: .heldSinceUnix),
      lastRequestUnix: try values.decodeIfPresent(Double.self, forKey: .lastRequestUnix),
      drainEpochSeen: try values.decodeIfPresent(Int.self, forKey: .drainEpochSeen) ?? 0,
      capacity: try values.decodeIfPresent(Int.self, forKey: .capacity),
      slots: try values.decodeIfPresent(Int.self, forKey: .slots),
      slotsEpoch: try values.decodeIfPresent(Int.self, forKey: .slotsEpoch),
      canaryAnswers: try values.decodeIfPresent(AnswerCount.self, forKey: .canaryAnswers),
      stableAnswers: try values.decodeIfPresent(AnswerCount.self, forKey: .stableAnswers),
      promptTokensTotal: try values.decodeIfPresent(Int.self, forKey: .promptTokensTotal),
      outputTokensTotal: try values.decodeIfPresent(Int.self, forKey: .outputTokensTotal),
      account: try values.decodeIfPresent(ServiceAccount.self, forKey: .account))
    firstTokens = try values.decodeIfPresent([SampleSums].self, forKey: .firstTokens)
    serviceTimes = try values.decodeIfPresent(SampleSums.self, forKey: .serviceTimes)
    arrivalGaps = try values.decodeIfPresent(SampleSums.self, forKey: .arrivalGaps)
  }

  /// Of ``firstTokens``: twice what this version tells.
  private static let mostBuckets = 16

  /// What is wrong with the numbers; nil: nothing. Counts are never below zero, and an integral is finite.
  var problem: String? {
    let answers = [canaryAnswers, stableAnswers].flatMap { [$0?.answers ?? 0, $0?.errors ?? 0] }
    let counts =
      [
        held, inFlight, requestsTotal, drainEpochSeen, capacity ?? 0, slots ?? 0, promptTokensTotal ?? 0,
        outputTokensTotal ?? 0,
      ]
      + answers + inFlightByPod.values
    if let negative = counts.filter({ $0 < 0 }).min() {
      return "\(namespace)/\(name) counts \(negative), must be 0 or more"
    }
    if account?.isSane == false { return "\(namespace)/\(name) has an account with a count below 0" }
    guard concurrencySeconds.isFinite, concurrencySeconds >= 0 else {
      return "\(namespace)/\(name) has concurrencySeconds \(concurrencySeconds), must be 0 or more"
    }
    if firstTokens?.count ?? 0 > Self.mostBuckets {
      return "\(namespace)/\(name) has \(firstTokens?.count ?? 0) firstTokens, must be at most \(Self.mostBuckets)"
    }
    let sums = (firstTokens ?? []) + [serviceTimes, arrivalGaps].compactMap(\.self)
    guard sums.allSatisfy(\.isSound) else {
      return "\(namespace)/\(name) has a sum of times that is below 0 or not finite"
    }
    return nil
  }
}

extension SampleSums {
  /// To the microsecond: times are not known better, and the stream is text.
  fileprivate var inShortNumbers: SampleSums {
    SampleSums(count: count, sum: (sum * 1e6).rounded() / 1e6, squares: (squares * 1e6).rounded() / 1e6)
  }
}
