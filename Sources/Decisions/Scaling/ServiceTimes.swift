/// How long a gateway's answers took at replicas, since its start: cumulative, so that a lost report loses nothing.
public struct ServiceTotals: Hashable, Sendable {
  /// Times to the first token, in seconds, by how many requests the replica had then: see ``bucket(concurrency:)``.
  public var firstTokens: [SampleSums]
  /// Times that requests occupied their slots, in seconds.
  public var occupied: SampleSums
  /// Times between arrivals, in seconds, at most ``longestGap``.
  public var gaps: SampleSums

  public init(firstTokens: [SampleSums] = [], occupied: SampleSums = SampleSums(), gaps: SampleSums = SampleSums()) {
    self.firstTokens = firstTokens
    self.occupied = occupied
    self.gaps = gaps
  }

  /// Longer pauses say how often a model is used, not how its requests come.
  public static let longestGap = 60.0

  /// 1, 2, 3-4, 5-8, ..., 33-64 and more: which of eight classes a number of requests is in.
  public static func bucket(concurrency: Int) -> Int {
    guard concurrency > 1 else { return 0 }
    return min(7, Int.bitWidth - (concurrency - 1).leadingZeroBitCount)
  }

  /// Notes an answer. Times are in seconds.
  public mutating func add(firstToken: Double, occupied seconds: Double, concurrency: Int) {
    let bucket = Self.bucket(concurrency: concurrency)
    while firstTokens.count <= bucket { firstTokens.append(SampleSums()) }
    firstTokens[bucket].add(firstToken)
    occupied.add(seconds)
  }

  /// Notes the time since the request before, in seconds.
  public mutating func addGap(_ seconds: Double) { gaps.add(min(Self.longestGap, max(0, seconds))) }

  var firstToken: SampleSums { firstTokens.reduce(SampleSums(), +) }

  func combined(_ other: ServiceTotals, _ combine: (SampleSums, SampleSums) -> SampleSums) -> ServiceTotals {
    func sums(_ totals: ServiceTotals, _ index: Int) -> SampleSums {
      index < totals.firstTokens.count ? totals.firstTokens[index] : SampleSums()
    }
    return ServiceTotals(
      firstTokens: (0..<max(firstTokens.count, other.firstTokens.count)).map {
        combine(sums(self, $0), sums(other, $0))
      },
      occupied: combine(occupied, other.occupied), gaps: combine(gaps, other.gaps))
  }

  /// No number fell: it can follow `earlier`.
  func follows(_ earlier: ServiceTotals) -> Bool {
    let difference = combined(earlier, -)
    return (difference.firstTokens + [difference.occupied, difference.gaps]).allSatisfy {
      $0.count >= 0 && $0.sum >= -1e-6 && $0.squares >= -1e-6
    }
  }
}

/// The service times of a model over all gateways: those of the last minutes count most.
struct ServiceMeter: Hashable, Sendable {
  private struct Gateway: Hashable, Sendable {
    var bootID: String
    var totals: ServiceTotals
    /// Of this gateway's arrivals.
    var gaps = SampleSums()
  }

  /// After so long, in seconds, an answer counts half; silence forgets nothing.
  static let halfLife = 600.0
  /// Fewer answers say little about their spread.
  static let fewest = 20.0

  private var gateways: [String: Gateway] = [:]
  private(set) var recent = ServiceTotals()
  private var decayedAt: Duration?

  /// Takes a gateway's totals. The first sight of a gateway whose history is not known is only a base to count from.
  mutating func record(_ totals: ServiceTotals, from gateway: String, bootID: String, at now: Duration) {
    guard var known = gateways[gateway] else {
      gateways[gateway] = Gateway(bootID: bootID, totals: totals)
      return
    }
    let base = known.bootID == bootID ? known.totals : ServiceTotals()
    if totals.follows(base), totals != base {
      let news = totals.combined(base, -)
      decay(to: now)
      recent = recent.combined(news, +)
      known.gaps = known.gaps * Self.kept(news.gaps.count) + news.gaps
    }
    known.bootID = bootID
    known.totals = totals
    gateways[gateway] = known
  }

  mutating func remove(gateway: String) { gateways[gateway] = nil }

  /// Squared coefficient of variation of the times between arrivals, over all gateways.
  ///
  /// A gateway sees one request in so many, which looks more like Poisson's arrivals than all of them together: of a stream
  /// with variation `C`, a share `p` taken at random has `1 + p (C - 1)`. So the differences from 1 add up.
  var arrivalVariation: Double {
    let differences = gateways.sorted { $0.key < $1.key }.compactMap { $0.value.gaps.variation.map { $0 - 1 } }
    return max(0.1, 1 + differences.reduce(0, +))
  }

  /// Mean time that a request occupies a slot, in seconds; nil: too few were measured.
  var occupied: Double? { recent.occupied.count >= Self.fewest ? recent.occupied.mean : nil }

  private mutating func decay(to now: Duration) {
    defer { decayedAt = now }
    guard let decayedAt, now > decayedAt else { return }
    let weight = ElementaryFunctions.exponential(
      -0.6931471805599453 * (now - decayedAt).inSeconds / Self.halfLife)
    recent = recent.combined(ServiceTotals()) { sums, _ in sums * weight }
  }

  /// Gaps count half after 500 others: bursts of a busy model, and the pauses between those of a quiet one.
  private static func kept(_ news: Double) -> Double {
    ElementaryFunctions.exponential(-0.6931471805599453 * news / 500)
  }
}
