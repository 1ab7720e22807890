import Decisions

/// How an attempt at a replica ended, as far as that says something of the replica.
enum AttemptEnd: Sendable {
  /// It answered, with this status.
  case answered(status: Int)
  /// It could not be reached, was silent, broke off, or answered what is no HTTP.
  case failed
  /// The caller left or was at fault.
  case abandoned
}

/// Whose turn it is where a canary takes a share of one service's requests, and how canary and pools answered. A value.
///
/// The turn is by credit: each request brings the canary its percents, and a whole request costs 100. So of any hundred in a row
/// it is the turn of exactly as many as the share says, evenly spread.
struct CanaryShare: Sendable {
  private var credit = 0
  /// Answers since this gateway began to count; nil: there was no canary yet.
  private(set) var answers: AnswerMeter.Total?

  /// Whether the next request is the canary's.
  mutating func takesTurn(percent: Int) -> Bool {
    credit += percent
    guard credit >= 100 else { return false }
    credit -= 100
    return true
  }

  mutating func count(_ pool: Pool, _ end: AttemptEnd) {
    var count = AnswerCount(answers: 1)
    switch end {
    case .answered(let status): count.errors = status >= 500 ? 1 : 0
    case .failed: count.errors = 1
    case .abandoned: return
    }
    var answers = self.answers ?? AnswerMeter.Total()
    if pool == .canary { answers.canary = answers.canary + count } else { answers.stable = answers.stable + count }
    self.answers = answers
  }
}
