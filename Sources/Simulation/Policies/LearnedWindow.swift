import Decisions

/// The windows of `sleepAfter: Auto`: the controller's ``IdleWindowLearner``, one for all models.
public struct LearnedWindow: IdleWindowPolicy {
  private let loadSeconds: Double
  /// In replica-seconds.
  private let waitingPrice: Double
  private var learner = IdleWindowLearner()
  private var histories: [IdleHistory] = []

  /// - Parameters: in replica-microseconds.
  public init(loadTime: Int64, coldStartPrice: Int64) {
    loadSeconds = Double(loadTime) / 1e6
    waitingPrice = Double(coldStartPrice) / 1e6
  }

  public var learnsAcrossModels: Bool { true }

  public mutating func plan(model: Int, idleSince: Int64) -> IdlePlan {
    while histories.count <= model { histories.append(IdleHistory()) }
    let choice = learner.begin(
      &histories[model], at: Double(idleSince) / 1e6, loadSeconds: loadSeconds, waitingPrice: waitingPrice)
    return IdlePlan(keep: Int64(choice.window * 1e6))
  }

  public mutating func noteGap(model: Int, idleSince: Int64, gap: Int64) {
    guard model < histories.count else { return }
    learner.end(&histories[model], at: Double(idleSince + gap) / 1e6)
  }
}
