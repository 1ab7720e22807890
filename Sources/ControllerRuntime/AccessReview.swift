/// What somebody who shows a token must be allowed to.
public enum AccessQuestion: Hashable, Sendable {
  /// To be this user, by a token that was made for this audience.
  case identity(user: String, audience: String)
  /// To do this to a path of ours, by a token for the API server: a role's `nonResourceURLs` say so.
  case path(String, verb: String)
}

/// The API server's word on a token and a question.
public enum AccessVerdict: Hashable, Sendable {
  case allowed
  /// The token is nobody's, or for somebody else.
  case unauthenticated
  case forbidden(user: String)
}

/// Why there is no verdict: try again soon.
public enum AccessUnknown: Error, Hashable, Sendable {
  /// Other reviews are under way, as many as are made at once.
  case busy
  /// The API server did not answer.
  case unavailable
}

/// What is remembered of reviews, and how many are made at once: a value, with the time passed in.
///
/// A token is asked about once a minute while it is shown, a wrong one every five seconds. With the API server away a token that
/// was good stays so for an hour. Strangers who try tokens have bounded reviews, which a good token's renewal does not wait for.
struct ReviewCache: Sendable {
  /// A token's digest, and what is asked about it.
  struct Key: Hashable, Sendable {
    var digest: [UInt8]
    var question: AccessQuestion
  }

  enum Step: Equatable {
    case known(AccessVerdict)
    /// Ask the API server, and tell ``finish(_:_:now:)`` what it says.
    case review
    /// Answer `allowed` at once, and review beside it.
    case renew
    /// Somebody asks already.
    case join
    case unknown(AccessUnknown)
  }

  /// How long an answer is good.
  static let allowedAge: Duration = .seconds(60)
  static let refusedAge: Duration = .seconds(5)
  /// How long after ``allowedAge`` a good token is renewed without anybody waiting for it.
  static let renewalAge: Duration = .seconds(30)
  /// How long a token that was good stays so while the API server cannot be asked: as long as a token lives.
  static let outageAge: Duration = .seconds(3600)
  /// Pause between two attempts to ask an API server that is away, for one token.
  static let outagePause: Duration = .seconds(5)
  /// Reviews at once of tokens that are not known to be good; over all peers, and for one.
  static let concurrent = 8
  static let concurrentPerPeer = 2
  /// Answers that are kept, of each of the two kinds.
  static let capacity = 512

  private struct Entry {
    var verdict: AccessVerdict
    var reviewed: Duration
    /// Not asked again before.
    var next: Duration
    /// The API server did not answer when it was asked last.
    var isOutage = false
  }

  private struct Review {
    /// Nil for a token that was good when it was last asked about.
    var peer: String?
  }

  private var entries: [Key: Entry] = [:]
  private var reviews: [Key: Review] = [:]

  /// - Parameter peer: who shows the token: the address without its port.
  mutating func look(_ key: Key, from peer: String, now: Duration) -> Step {
    let entry = entries[key]
    if let entry, now < entry.next, isUsable(entry, now) { return .known(entry.verdict) }
    let wasAllowed = entry.map { $0.verdict == .allowed && isUsable($0, now) } ?? false
    let isServed = wasAllowed && entry.map { $0.isOutage || now < $0.next + Self.renewalAge } ?? false
    if reviews[key] != nil { return isServed ? .known(.allowed) : .join }
    if wasAllowed {
      reviews[key] = Review(peer: nil)
      return isServed ? .renew : .review
    }
    let strangers = reviews.values.compactMap(\.peer)
    guard strangers.count < Self.concurrent, strangers.count(where: { $0 == peer }) < Self.concurrentPerPeer else {
      return .unknown(.busy)
    }
    reviews[key] = Review(peer: peer)
    return .review
  }

  /// Takes the API server's word; nil: it did not answer.
  mutating func finish(_ key: Key, _ verdict: AccessVerdict?, now: Duration) -> Result<AccessVerdict, AccessUnknown> {
    reviews[key] = nil
    if let verdict {
      let age = verdict == .allowed ? Self.allowedAge : Self.refusedAge
      entries[key] = Entry(verdict: verdict, reviewed: now, next: now + age)
      makeRoom(like: verdict)
      return .success(verdict)
    }
    guard let entry = entries[key], entry.verdict == .allowed, isUsable(entry, now) else {
      entries[key] = nil
      return .failure(.unavailable)
    }
    entries[key]?.next = now + Self.outagePause
    entries[key]?.isOutage = true
    return .success(.allowed)
  }

  private func isUsable(_ entry: Entry, _ now: Duration) -> Bool {
    now - entry.reviewed < (entry.verdict == .allowed ? Self.outageAge : Self.refusedAge)
  }

  /// Forgets the oldest of a kind: whoever tries tokens pushes out other refusals, never a good token.
  private mutating func makeRoom(like verdict: AccessVerdict) {
    let isAllowed = verdict == .allowed
    let same = entries.filter { ($0.value.verdict == .allowed) == isAllowed }
    guard same.count > Self.capacity else { return }
    if let oldest = same.min(by: { $0.value.reviewed < $1.value.reviewed }) { entries[oldest.key] = nil }
  }
}
