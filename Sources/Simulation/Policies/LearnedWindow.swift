import Decisions

/// The windows of `sleepAfter: Auto`: the controller's ``IdleWindowLearner``, one for all models.
public struct LearnedWindow: IdleWindowPolicy {
  /// In replica-seconds.
  private let wakePrice: Double
  private var learner = IdleWindowLearner()
  private var histories: [IdleHistory] = []

  /// - Parameters: in replica-microseconds.
  public init(loadTime: Int64, coldStartPrice: Int64) { wakePrice = Double(loadTime + coldStartPrice) / 1e6 }

  public var learnsAcrossModels: Bool { true }

  public mutating func plan(model: Int, idleSince: Int64) -> IdlePlan {
    while histories.count <= model { histories.append(IdleHistory()) }
    let choice = learner.begin(&histories[model], at: Double(idleSince) / 1e6, wakePrice: wakePrice)
    return IdlePlan(keep: Int64(choice.window * 1e6))
  }

  public mutating func noteGap(model: Int, idleSince: Int64, gap: Int64) {
    guard model < histories.count else { return }
    learner.end(&histories[model], at: Double(idleSince + gap) / 1e6)
  }
}
