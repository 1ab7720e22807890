import Decisions
import KubernetesAPI

@testable import Operator

/// A made-up life of two models behind two gateways, with its exact accounting: what the ledger is compared with.
struct LedgerCourse {
  struct PodLife {
    var model: String
    var uid: String
    var pool: String
    var gateway: Int
    /// Whole seconds of the course, as the API server would write them.
    var scheduled: Int
    var ready: Int
    var drained: Int
    var ended: Int
  }

  /// 2026-11-27T23:55:00Z: an hour and a day end in the middle.
  static let begin = 1_795_823_700_000
  static let seconds = 600
  static let models = ["llm", "owl"]
  /// How long an ended pod's object stays.
  static let lingering = 2

  let pods: [PodLife]
  /// Cumulative counts by second, gateway and model.
  private(set) var accounts: [[[String: ServiceAccount]]] = []
  private(set) var requests = LedgerCounts()
  private(set) var busy = 0

  init(seed: UInt64) {
    var random = seed
    func draw(_ bound: Int) -> Int {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(random >> 33) % bound
    }
    pods = (0..<14).map { index in
      let scheduled = draw(500)
      let ready = scheduled + 1 + draw(20)
      let drained = ready + 5 + draw(90)
      return PodLife(
        model: Self.models[index % 2], uid: "pod-\(index)", pool: index % 3 == 0 ? "dedicated" : "burst",
        gateway: index % 2, scheduled: scheduled, ready: ready, drained: drained,
        ended: min(drained + draw(8), Self.seconds - 20))
    }
    var now = (0..<2).map { _ in
      Dictionary(
        Self.models.map { ($0, ServiceAccount(sinceMilliseconds: Self.begin)) }, uniquingKeysWith: { $1 })
    }
    for second in 0..<Self.seconds {
      // The last seconds are quiet, so that everything that was counted was also heard.
      for pod in pods where second < Self.seconds - 20 {
        guard (pod.ready..<pod.drained).contains(second), draw(3) > 0 else { continue }
        let counts = LedgerCounts(
          requests: 1 + draw(4), promptTokens: draw(900), outputTokens: draw(500), waits: draw(2),
          waitMilliseconds: draw(3000), servingMilliseconds: draw(2000))
        let later = Self.more(now[pod.gateway][pod.model], pod, tenant: "t\(draw(3))", counts)
        now[pod.gateway][pod.model]?.merge(later)
        requests += counts
        busy += 700
      }
      accounts.append(now)
    }
  }

  private static func more(
    _ account: ServiceAccount?, _ pod: PodLife, tenant: String, _ counts: LedgerCounts
  ) -> ServiceAccount {
    let known = account?.rows.first { $0.pool == pod.pool && $0.tenant == tenant }?.counts ?? LedgerCounts()
    return ServiceAccount(
      sinceMilliseconds: begin, rows: [.init(pool: pod.pool, tenant: tenant, counts: known + counts)],
      busyMilliseconds: [pod.uid: (account?.busyMilliseconds[pod.uid] ?? 0) + 700])
  }

  /// Replica time, but for busy time, by pod times alone.
  var time: ReplicaTime {
    pods.reduce(into: ReplicaTime()) { sum, pod in
      let (ready, drained) = (min(pod.ready, pod.ended), min(pod.drained, pod.ended))
      sum += ReplicaTime(
        loading: (ready - pod.scheduled) * 1000, ready: (drained - ready) * 1000,
        draining: (pod.ended - drained) * 1000, starts: 1)
    }
  }

  func observation(_ model: String, at second: Int) -> LedgerObservation {
    func moment(_ second: Int) -> Int { Self.begin + second * 1000 }
    let present = pods.filter {
      $0.model == model && $0.scheduled <= second && second < $0.ended + Self.lingering
    }
    let times = present.map { pod in
      PodTimes(
        uid: pod.uid, pool: pod.pool, scheduled: moment(pod.scheduled), isReady: pod.ready <= second,
        readinessSince: moment(pod.ready <= second ? pod.ready : pod.scheduled),
        drainingSince: pod.drained <= second ? moment(pod.drained) : nil,
        deadline: pod.drained <= second ? moment(pod.ended + 30) : nil,
        ended: pod.ended <= second ? moment(pod.ended) : nil)
    }
    let rates = ["dedicated", "burst"].map { ($0, LedgerRates(hourlyPrice: 3, priceMethod: .spec)) }
    let wanted = present.count { $0.drained > second }
    return LedgerObservation(
      model: model, created: Self.begin, pods: times, wanted: wanted, needed: wanted, floor: 0,
      rates: Dictionary(rates, uniquingKeysWith: { $1 }))
  }
}

/// A controller that keeps the ledger through the course, and the ConfigMaps that it writes.
struct LedgerCourseRun {
  let course: LedgerCourse
  /// Stored text by name: all that survives a kill.
  private(set) var stored: [String: KubernetesObject] = [:]
  private(set) var writes = 0
  private var ledger = Ledger()
  private var isNew = true
  private var deadUntil = 0
  static let interval = 20
  /// Seconds from which on a day's book is in two parts.
  private let splits: [Range<Int>]
  /// Rates of the course's second half.
  private let laterRates: LedgerRates?

  init(_ course: LedgerCourse, splits: [Range<Int>] = [], laterRates: LedgerRates? = nil) {
    self.course = course
    self.splits = splits
    self.laterRates = laterRates
  }

  /// - Parameters:
  ///   - killedAfter: the controller dies after this write, before anything else; another one comes `outage` seconds later.
  ///   - conflictAt: somebody else's write is met at this second.
  mutating func run(killedAfter: Int? = nil, outage: Int = 7, conflictAt: Int? = nil) {
    for second in 0..<LedgerCourse.seconds where second >= deadUntil {
      let now = LedgerCourse.begin + second * 1000
      if isNew { load(now) }
      if second == conflictAt {
        ledger.forget("team")
        ledger.reload("team", newest, now: now)
      }
      hear(second, now)
      for model in LedgerCourse.models {
        var seen = course.observation(model, at: second)
        if let laterRates, second >= LedgerCourse.seconds / 2 { seen.rates["burst"] = laterRates }
        ledger.advance(seen, in: "team", now: now)
      }
      isNew = false
      guard second % Self.interval == Self.interval - 1 || second == LedgerCourse.seconds - 1 else { continue }
      if splits.contains(where: { $0.contains(second) }), ledger.book(of: "team")?.parts == 1 {
        ledger.fold("team", [], parts: 2)
      }
      write(at: second, killedAfter: killedAfter, outage: outage)
    }
  }

  /// Each object's write is one at which the controller may die.
  private mutating func write(at second: Int, killedAfter: Int?, outage: Int) {
    while let next = ledger.image(of: "team"), ledger.unwritten == ["team"] {
      guard let image = LedgerConfigMap.image(next.book, home: "home") else { return }
      for object in image.objects {
        stored[object.metadata.name] = object
        writes += 1
        guard writes == killedAfter else { continue }
        ledger = Ledger()
        isNew = true
        deadUntil = second + 1 + outage
        return
      }
      ledger.wrote(next.mark, of: "team", isClosed: next.isClosed)
      if !next.isClosed { ledger.fold("team", image.foldings, parts: image.parts) }
    }
  }

  private mutating func load(_ now: Int) { ledger.load([newest].compactMap(\.self), now: now) }

  /// As the store finds it: the newest day, and the one before where parts of it are missing.
  private var newest: LedgerBook? {
    let days = Dictionary(grouping: books, by: \.day).sorted { $0.key > $1.key }.map(\.value)
    return days.first.flatMap {
      LedgerBook.joined($0, previous: days.dropFirst().first.flatMap { LedgerBook.joined($0) })
    }
  }

  private var books: [LedgerBook] {
    stored.keys.sorted().compactMap { stored[$0] }.compactMap { try? LedgerConfigMap.book($0) }
  }

  /// All rows in a stream's first snapshot, then those that changed.
  private mutating func hear(_ second: Int, _ now: Int) {
    for (index, accounts) in course.accounts[second].enumerated() {
      for (model, account) in accounts.sorted(by: { $0.key < $1.key }) {
        var told = account
        if !isNew, let last = course.accounts[max(0, second - 1)][index][model], second > 0 {
          told.rows.removeAll { last.rows.contains($0) }
          guard !told.rows.isEmpty else { continue }
        }
        ledger.hear(told, of: model, in: "team", from: "gateway-\(index)", bootID: "boot", now: now)
      }
    }
  }

  var report: LedgerReport {
    LedgerReport(
      books, from: LedgerCourse.begin - 3_600_000, to: LedgerCourse.begin + 7_200_000,
      now: LedgerCourse.begin + LedgerCourse.seconds * 1000)
  }
}
