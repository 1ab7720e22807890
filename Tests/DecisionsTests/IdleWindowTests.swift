import Decisions
import Testing

@Suite struct IdleWindowTests {
  /// Plays a model's requests, each of a second; returns the windows that were chosen, in seconds.
  private func windows(
    _ learner: inout IdleWindowLearner, _ history: inout IdleHistory, gaps: [Double], from start: Double = 1_000_000,
    wakePrice: Double
  ) -> [Double] {
    var now = start
    return gaps.map { gap in
      let choice = learner.begin(&history, at: now, loadSeconds: 0, waitingPrice: wakePrice)
      now += gap
      learner.end(&history, at: now)
      now += 1
      return choice.window
    }
  }

  /// What windows cost, in replica-seconds.
  private func cost(_ windows: [Double], _ gaps: [Double], wakePrice: Double) -> Double {
    zip(windows, gaps).reduce(0) { $0 + ($1.1 <= $1.0 ? $1.1 : $1.0 + wakePrice) }
  }

  @Test("A window is between a minute and a day, whatever a wake costs", arguments: [0.0, 1, 360, 4000, 1e7])
  func bounds(price: Double) {
    var (learner, history) = (IdleWindowLearner(), IdleHistory())
    let gaps = (0..<300).map { Double($0 % 7) * 500 + 1 }
    for window in windows(&learner, &history, gaps: gaps, wakePrice: price) {
      #expect(window >= 60 && window <= 86_400)
    }
    if price == 0 { #expect(learner.begin(&history, at: 9e6, loadSeconds: 0, waitingPrice: 0).window == 60) }
    if price == 1e7 { #expect(learner.begin(&history, at: 9e6, loadSeconds: 0, waitingPrice: 1e7).window > 3000) }
  }

  @Test("A dearer wake never makes the window shorter")
  func monotone() {
    var (learner, history) = (IdleWindowLearner(), IdleHistory())
    let gaps = (0..<200).map { index in index % 5 == 0 ? 4000.0 : Double(index % 9) * 40 }
    _ = windows(&learner, &history, gaps: gaps, wakePrice: 300)
    var last = 0.0
    for price in stride(from: 10.0, through: 20_000, by: 250) {
      var copy = history
      let window = learner.begin(&copy, at: 2e6, loadSeconds: 0, waitingPrice: price).window
      #expect(window >= last)
      last = window
    }
  }

  @Test(
    "A model whose requests come every five minutes stays awake between them; one of long silences does not wait for them"
  )
  func learns() {
    var learner = IdleWindowLearner()
    var (regular, rare) = (IdleHistory(), IdleHistory())
    _ = windows(&learner, &regular, gaps: Array(repeating: 290, count: 60), wakePrice: 300)
    _ = windows(&learner, &rare, gaps: Array(repeating: 20_000, count: 60), wakePrice: 300)
    let staying = learner.begin(&regular, at: 3e6, loadSeconds: 0, waitingPrice: 300)
    #expect(staying.window >= 290)
    #expect(staying.returnChance > 0.8)
    #expect(staying.shareEnded ?? 0 > 0.99)
    #expect(learner.begin(&rare, at: 3e6, loadSeconds: 0, waitingPrice: 300).window <= 90)
  }

  @Test("What all models do is what a new one is expected to do")
  func prior() {
    var (busy, quiet) = (IdleWindowLearner(), IdleWindowLearner())
    for seed in 0..<12 {
      var (one, other) = (IdleHistory(), IdleHistory())
      _ = windows(&busy, &one, gaps: (0..<60).map { 100 + Double(($0 * 37 + seed * 11) % 90) }, wakePrice: 600)
      _ = windows(&quiet, &other, gaps: (0..<60).map { 6000 + Double(($0 * 37 + seed * 11) % 900) }, wakePrice: 600)
    }
    var new = IdleHistory()
    let expectingReturn = busy.begin(&new, at: 5e6, loadSeconds: 0, waitingPrice: 600)
    new = IdleHistory()
    let expectingNone = quiet.begin(&new, at: 5e6, loadSeconds: 0, waitingPrice: 600)
    #expect(expectingReturn.window >= 180)
    #expect(expectingNone.window < expectingReturn.window)
    #expect(expectingReturn.gaps == 0 && expectingReturn.shareEnded == nil)
  }

  @Test("Learned windows cost less than the best fixed one where models differ")
  func better() {
    var learner = IdleWindowLearner()
    var random = SplitMix(seed: 7)
    let price = 600.0
    var (all, learned) = ([[Double]](), 0.0)
    var histories = [IdleHistory](repeating: IdleHistory(), count: 6)
    for model in 0..<6 {
      let mean = [70.0, 150, 400, 1500, 6000, 20_000][model]
      all.append((0..<400).map { _ in mean * (0.5 + Double.random(in: 0..<1, using: &random)) })
    }
    // Round by round, so that each learns beside the others.
    var now = [Double](repeating: 1e6, count: 6)
    for round in 0..<400 {
      for model in 0..<6 {
        let choice = learner.begin(&histories[model], at: now[model], loadSeconds: 0, waitingPrice: price)
        let gap = all[model][round]
        learned += gap <= choice.window ? gap : choice.window + price
        now[model] += gap
        learner.end(&histories[model], at: now[model])
      }
    }
    let fixed =
      IdleGrid.edges.map { window in
        all.reduce(0.0) { $0 + cost(Array(repeating: window, count: 400), $1, wakePrice: price) }
      }.min() ?? 0
    #expect(learned < 0.9 * fixed)
  }

  @Test("Yesterday's hour counts: a daily request is expected when it came the day before")
  func daily() {
    var (learner, history) = (IdleWindowLearner(), IdleHistory())
    var now = 86_400.0 * 100
    // Each day a request at 0:00, one at 0:20, and none until the next day.
    var afterFirst = 0.0
    var afterSecond = 0.0
    for _ in 0..<60 {
      afterFirst = learner.begin(&history, at: now, loadSeconds: 0, waitingPrice: 2000).window
      learner.end(&history, at: now + 1200)
      afterSecond = learner.begin(&history, at: now + 1201, loadSeconds: 0, waitingPrice: 2000).window
      now += 86_400
      learner.end(&history, at: now)
    }
    #expect(afterFirst >= 1200)
    #expect(afterSecond <= 300)
  }

  @Test("An end without a beginning is nothing, and a clock that goes back makes no gap below zero")
  func odd() {
    var (learner, history) = (IdleWindowLearner(), IdleHistory())
    learner.end(&history, at: 5)
    #expect(history.gaps == 0)
    _ = learner.begin(&history, at: 1000, loadSeconds: 0, waitingPrice: 60)
    learner.end(&history, at: 10)
    #expect(history.gaps == 1 && learner.learned == 0)
  }

  @Test("What waiting is worth is told in replica-seconds")
  func price() {
    // Two waiters for 60 s at 30 an hour cost 1; a replica of 3 an hour runs 1200 s for that.
    let price = WakePrice(waitingPerHour: 30, replicaPerHour: 3)
    #expect(price.waiting(loadSeconds: 60, meanWaiters: 2) == 1200)
    #expect(price.waiting(loadSeconds: 0, meanWaiters: 2) == 0)
    #expect(WakePrice(waitingPerHour: 30, replicaPerHour: 0).waiting(loadSeconds: 60, meanWaiters: 1) == 86_400 * 30)
  }

  @Test("What a load costs is not in a wake's price: it puts the next silence off")
  func load() {
    let learner = IdleWindowLearner()
    var history = IdleHistory()
    for load in [0.0, 100, 3000] {
      #expect(learner.begin(&history, at: 9e6, loadSeconds: load, waitingPrice: 50).wakePrice == 50)
    }
  }

  @Test("The place within ten minutes of the clock counts, at a silence's beginning and later")
  func clock() {
    var (learner, history) = (IdleWindowLearner(), IdleHistory())
    // Busy in the first minute of every ten; at the end of it, none is back for nine.
    let start = 600.0 * 3_000_000
    var (early, late) = (0.0, 0.0)
    for round in 0..<300 {
      let now = start + Double(round) * 600
      early = learner.begin(&history, at: now + 1, loadSeconds: 0, waitingPrice: 120).window
      learner.end(&history, at: now + 66)
      late = learner.begin(&history, at: now + 67, loadSeconds: 0, waitingPrice: 120).window
      learner.end(&history, at: now + 600)
    }
    #expect(early >= 65)
    #expect(late == 60)
  }

  @Test("The choice says why")
  func explanation() {
    var (learner, history) = (IdleWindowLearner(), IdleHistory())
    let first = learner.begin(&history, at: 1000, loadSeconds: 0, waitingPrice: 120)
    #expect(first.explanation.contains("nothing is known of it yet"))
    learner.end(&history, at: 1100)
    _ = windows(&learner, &history, gaps: Array(repeating: 100, count: 40), wakePrice: 600)
    let later = learner.begin(&history, at: 2e6, loadSeconds: 0, waitingPrice: 600)
    #expect(later.explanation.hasPrefix("Auto stays awake for "))
    #expect(later.explanation.contains("a wake costs 10m of a replica"))
    #expect(later.explanation.contains("100% of its silences past 1s were over by then"))
  }
}
