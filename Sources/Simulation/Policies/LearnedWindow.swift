import Decisions

/// The plans of `sleepAfter: Auto`, with wakes ahead where `mode` is Predictive: the controller's ``IdleWindowLearner``, one for all models.
public struct LearnedWindow: IdleWindowPolicy {
  private let loadSeconds: Double
  /// In replica-seconds.
  private let waitingPrice: Double
  private let wakesAhead: Bool
  private var learner = IdleWindowLearner()
  private var histories: [IdleHistory] = []

  /// - Parameters: in replica-microseconds.
  public init(loadTime: Int64, coldStartPrice: Int64, wakesAhead: Bool = false) {
    self.wakesAhead = wakesAhead
    loadSeconds = Double(loadTime) / 1e6
    waitingPrice = Double(coldStartPrice) / 1e6
  }

  public var learnsAcrossModels: Bool { true }

  public mutating func plan(model: Int, idleSince: Int64) -> IdlePlan {
    while histories.count <= model { histories.append(IdleHistory()) }
    let choice = learner.begin(
      &histories[model], at: Double(idleSince) / 1e6, loadSeconds: loadSeconds, waitingPrice: waitingPrice,
      wakesAhead: wakesAhead)
    return IdlePlan(
      keep: Int64(choice.window * 1e6),
      prewarms: choice.ahead.map { IdlePlan.Prewarm(after: Int64($0.from * 1e6), until: Int64($0.until * 1e6)) })
  }

  public mutating func noteGap(model: Int, idleSince: Int64, gap: Int64) {
    guard model < histories.count else { return }
    learner.end(&histories[model], at: Double(idleSince + gap) / 1e6)
  }
}
