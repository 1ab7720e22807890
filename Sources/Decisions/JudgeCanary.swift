/// Answers of a set of replicas since some moment, and how many of them were errors: 5xx, no connection, silence, nonsense,
/// an answer that broke off.
public struct AnswerCount: Codable, Hashable, Sendable {
  public var answers: Int
  public var errors: Int

  public init(answers: Int = 0, errors: Int = 0) {
    self.answers = answers
    self.errors = errors
  }

  public static func + (left: AnswerCount, right: AnswerCount) -> AnswerCount {
    AnswerCount(answers: left.answers + right.answers, errors: left.errors + right.errors)
  }

  public static func - (left: AnswerCount, right: AnswerCount) -> AnswerCount {
    AnswerCount(answers: left.answers - right.answers, errors: left.errors - right.errors)
  }

  /// Share of the answers that were errors, 0 to 1.
  public var errorRate: Double { answers > 0 ? Double(errors) / Double(answers) : 0 }

  /// `3 of 20 (15%)`.
  public var text: String { "\(errors) of \(answers) (\((errorRate * 100).decimalText(places: 1))%)" }
}

/// What the comparison of a canary with the pools comes to.
public enum CanaryVerdict: Hashable, Sendable {
  /// Nothing speaks against it, or too little is known.
  case acceptable
  /// It fails more often, and that is no chance: the figures, for people.
  case worse(String)
}

/// Bounds of ``judgeCanary(_:against:)``.
public enum CanaryJudgement {
  /// Fewer answers of the canary say nothing: below it even failing always would be noticed by ten callers at most.
  public static let leastAnswers = 10
  /// A canary that fails less often than this is never aborted; the threshold of Flagger's `request-success-rate` (99 %).
  public static let errorRateFloor = 0.01
  /// Of the standard normal distribution, one-sided 0.1 %. Strict, because a step is judged each second it lasts.
  public static let z = 3.09
}

/// Compares the errors of a canary with those of the pools over the same time.
///
/// It is worse where the lower bound of the difference between both error rates is above zero. The bound is Newcombe's hybrid
/// of two Wilson intervals (R. G. Newcombe, "Interval estimation for the difference between independent proportions",
/// Statistics in Medicine 17, 1998, method 10), which holds for small counts and for none at all, where the usual test of two
/// proportions does not. Where the pools answered nothing, the lower bound of the canary's rate must be above the floor.
public func judgeCanary(_ canary: AnswerCount, against stable: AnswerCount) -> CanaryVerdict {
  guard canary.answers >= CanaryJudgement.leastAnswers, canary.errorRate >= CanaryJudgement.errorRateFloor else {
    return .acceptable
  }
  let least = wilsonBounds(canary).lower
  guard stable.answers > 0 else {
    return least > CanaryJudgement.errorRateFloor
      ? .worse("the canary failed \(canary.text) answers, and the pools answered nothing to compare with") : .acceptable
  }
  let most = wilsonBounds(stable).upper
  let (below, above) = (canary.errorRate - least, most - stable.errorRate)
  let difference = canary.errorRate - stable.errorRate - (below * below + above * above).squareRoot()
  guard difference > 0 else { return .acceptable }
  return .worse("the canary failed \(canary.text) answers, the pools \(stable.text)")
}

/// E. B. Wilson's score interval (1927) of an error rate.
private func wilsonBounds(_ count: AnswerCount) -> (lower: Double, upper: Double) {
  let (n, rate, z) = (Double(count.answers), count.errorRate, CanaryJudgement.z)
  let center = rate + z * z / (2 * n)
  let margin = z * (rate * (1 - rate) / n + z * z / (4 * n * n)).squareRoot()
  let scale = 1 + z * z / n
  return (max(0, (center - margin) / scale), min(1, (center + margin) / scale))
}
