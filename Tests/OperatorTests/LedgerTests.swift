import Decisions
import KubernetesAPI
import Testing

@testable import Operator

@Suite struct LedgerTests {
  static func totals(_ report: LedgerReport) -> (time: ReplicaTime, counts: LedgerCounts) {
    report.lines.reduce(into: (ReplicaTime(), LedgerCounts())) { sums, line in
      sums.0 += line.time
      sums.1 += line.counts
    }
  }

  @Test("Without a kill the books' sums are the exact accounting, over the end of an hour and a day", arguments: 1...5)
  func exact(seed: Int) {
    let course = LedgerCourse(seed: UInt64(seed))
    var run = LedgerCourseRun(course)
    run.run()
    let (time, counts) = Self.totals(run.report)
    #expect(run.stored.keys.sorted() == ["pilotlight-ledger.team.2026-11-27", "pilotlight-ledger.team.2026-11-28"])
    #expect(counts == course.requests)
    #expect(time.loading == course.time.loading)
    #expect(time.ready == course.time.ready)
    #expect(time.draining == course.time.draining)
    #expect(time.starts == course.time.starts)
    #expect(time.busy == course.busy)
    #expect(run.report.models.allSatisfy { $0.unknown == 0 })
    #expect(Set(run.report.lines.map(\.hour)).count == 2)
  }

  @Test("A kill at every write loses no request and no replica time, and counts nothing twice", arguments: 1...2)
  func killed(seed: Int) {
    let course = LedgerCourse(seed: UInt64(seed))
    var whole = LedgerCourseRun(course)
    whole.run()
    #expect(whole.writes > 25)
    let price = 3.0
    for write in 1...whole.writes {
      var run = LedgerCourseRun(course)
      run.run(killedAfter: write)
      let (time, counts) = Self.totals(run.report)
      let unknown = run.report.models.map(\.unknown).max() ?? 0
      #expect(counts == course.requests, "after write \(write)")
      #expect(time.starts == course.time.starts, "after write \(write)")
      // A pod whose end nobody saw is counted until it is missed, and the ledger says for how long that is not known.
      let excess = time.paid - course.time.paid
      #expect(excess >= 0 && (unknown > 0 || excess == 0), "after write \(write): \(excess) ms too many")
      #expect(excess <= 14 * unknown, "after write \(write): \(excess) ms too many, \(unknown) not known")
      #expect(unknown <= 30_000, "after write \(write)")
      // Of one whose readiness nobody saw, loading and draining may be told otherwise, but not how long it was there.
      #expect(abs(time.busy - course.busy) <= 14 * 1000, "after write \(write)")
      let cost = run.report.models.compactMap(\.bill.cost).reduce(0, +)
      #expect(abs(cost - Double(time.paid) / 3_600_000 * price) < 1e-6)
    }
  }

  @Test("Prices that change in the middle of the day cost what they did when the time passed", arguments: [1, 4])
  func rates(seed: Int) {
    let course = LedgerCourse(seed: UInt64(seed))
    var run = LedgerCourseRun(course, laterRates: LedgerRates(hourlyPrice: 6, priceMethod: .spec))
    run.run()
    let middle = LedgerCourse.seconds / 2
    let expected = course.pods.reduce(0.0) { sum, pod in
      let late = pod.pool == "burst" ? max(0, pod.ended - max(middle, pod.scheduled)) : 0
      return sum + Double(3 * (pod.ended - pod.scheduled) + 3 * late) / 3600
    }
    let cost = run.report.models.compactMap(\.bill.cost).reduce(0, +)
    // One look a second: the price of the second in which it changed may be either.
    #expect(abs(cost - expected) <= 14 * 3.0 / 3600, "\(cost) of \(expected)")
  }

  @Test("A write that meets another's is given up, the stored book counts, and nothing is lost or counted twice")
  func conflict() {
    let course = LedgerCourse(seed: 3)
    for second in stride(from: 25, to: 580, by: 37) {
      var run = LedgerCourseRun(course)
      run.run(conflictAt: second)
      let (time, counts) = Self.totals(run.report)
      let unknown = run.report.models.map(\.unknown).max() ?? 0
      #expect(counts == course.requests, "at \(second)")
      #expect(time.paid >= course.time.paid && time.paid - course.time.paid <= 14 * unknown, "at \(second)")
    }
  }

  @Test("A gateway that starts anew is counted from zero; one that vanishes keeps what it said")
  func boots() {
    var ledger = Ledger()
    ledger.load([], now: 0)
    func say(_ requests: Int, _ boot: String, since: Int, now: Int) {
      let row = ServiceAccount.Row(pool: "burst", tenant: "a", counts: LedgerCounts(requests: requests))
      ledger.hear(
        ServiceAccount(sinceMilliseconds: since, rows: [row]), of: "llm", in: "team", from: "g", bootID: boot, now: now)
    }
    say(5, "one", since: 0, now: 1000)
    say(8, "one", since: 0, now: 2000)
    say(2, "two", since: 2500, now: 3000)
    // The service was deleted and made again: its account began anew in the same boot.
    say(9, "two", since: 4000, now: 5000)
    // Counters that fall are not believed, and what comes after them is not counted from there.
    say(1, "two", since: 4000, now: 6000)
    #expect(ledger.book(of: "team")?.models["llm"]?.totalCounts.requests == 19)
    say(11, "two", since: 4000, now: 7000)
    #expect(ledger.book(of: "team")?.models["llm"]?.totalCounts.requests == 21)
    // Another boot, though it gives the same moment.
    say(4, "three", since: 4000, now: 8000)
    #expect(ledger.book(of: "team")?.models["llm"]?.totalCounts.requests == 25)
  }

  @Test(
    "A gateway whose counts are not known any more and that is old is a base to count from; a young one is counted whole"
  )
  func stale() {
    let day = 86_400_000
    func requests(since: Int, lostCursors: Bool = false) -> Int? {
      var book = LedgerBook(namespace: "team", day: 2, from: 2 * day)
      (book.lostCursors, book.resumedAt) = (lostCursors, 2 * day + 500)
      let row = { ServiceAccount.Row(pool: "burst", tenant: "a", counts: LedgerCounts(requests: $0)) }
      for count in [70, 75] {
        book.record(
          ServiceAccount(sinceMilliseconds: since, rows: [row(count)]), of: "llm", from: "g", bootID: "b",
          now: 2 * day + 1000)
      }
      return book.models["llm"]?.totalCounts.requests
    }
    #expect(requests(since: 2 * day) == 75)
    #expect(requests(since: day - 1000) == 5)
    // The cursors found no room: what began before the book was stored last is in it.
    #expect(requests(since: 2 * day, lostCursors: true) == 5)
    #expect(requests(since: 2 * day + 600, lostCursors: true) == 75)
  }

  @Test("Rows that another leader heard and this one did not are not counted again when they come")
  func heardByAnother() {
    var book = LedgerBook(namespace: "team", day: 0, from: 0)
    func say(_ counts: [String: Int], busy: Int) {
      let rows = counts.sorted { $0.key < $1.key }.map {
        ServiceAccount.Row(pool: "burst", tenant: $0.key, counts: LedgerCounts(requests: $0.value))
      }
      book.record(
        ServiceAccount(sinceMilliseconds: 0, rows: rows, busyMilliseconds: ["p": busy]), of: "llm", from: "g",
        bootID: "b", now: 10)
    }
    book.pods["p"] = .init(model: "llm", pool: "burst", phase: .ready, counted: 0)
    say(["a": 5, "b": 3], busy: 70)
    // Older than what the book counts: from a leader that lost its Lease, or by a slower way.
    say(["a": 4], busy: 50)
    say(["a": 6, "b": 3, "c": 1], busy: 90)
    #expect(book.models["llm"]?.totalCounts.requests == 10)
    #expect(book.pods["p"]?.pending == ["g": 90])
  }

  @Test("Cursors that are kept by pool count nothing twice, and tell tenants apart again once a gateway has told them")
  func foldedCursors() {
    var book = LedgerBook(namespace: "team", day: 0, from: 0)
    func say(_ counts: [String: Int], of model: String = "llm") {
      let rows = counts.sorted { $0.key < $1.key }.map {
        ServiceAccount.Row(pool: "burst", tenant: $0.key, counts: LedgerCounts(requests: $0.value))
      }
      book.record(ServiceAccount(sinceMilliseconds: 0, rows: rows), of: model, from: "g", bootID: "b", now: 10)
    }
    func requests(_ tenant: String) -> Int {
      book.models["llm"]?.usage.filter { $0.key.tenant == tenant }.values.reduce(0) { $0 + $1.requests } ?? 0
    }
    say(["a": 5, "b": 3])
    say(["x": 2], of: "owl")
    book = book.folded(.cursorTenants)
    say(["a": 4, "b": 3])
    #expect(book.models["llm"]?.totalCounts.requests == 8)
    for step in 1...4 { say(["a": 5 + step, "b": 3]) }
    #expect(book.models["llm"]?.totalCounts.requests == 12)
    // The first time it could not be told whose the request was.
    #expect(requests("a") == 8 && requests("b") == 3 && requests("other") == 1)
    say(["x": 3], of: "owl")
    say(["x": 4], of: "owl")
    #expect(book.models["owl"]?.totalCounts.requests == 4)
    // The next leader does not know which are told apart again: it counts by pool once more, and no more.
    guard let read = try? LedgerCodec.book(LedgerCodec.json(book)) else { return #expect(Bool(false), "not read") }
    book = read
    say(["a": 9, "b": 4])
    #expect(book.models["llm"]?.totalCounts.requests == 13 && requests("other") == 2)
  }

  @Test("Summing up rows changes no sum, whatever is summed up", arguments: LedgerBook.Folding.allCases)
  func foldings(step: LedgerBook.Folding) throws {
    var run = LedgerCourseRun(LedgerCourse(seed: 6))
    run.run()
    for object in run.stored.values {
      let book = try LedgerConfigMap.book(object)
      let small = book.folded(step)
      let sum = { (book: LedgerBook) in
        Self.totals(LedgerReport([book], from: book.from - 86_400_000, to: book.to + 86_400_000, now: book.to))
      }
      #expect(sum(small).time == sum(book).time && sum(small).counts == sum(book).counts)
      #expect(sum(book).counts.requests > 0 && small.isFolded)
      let demand = { (book: LedgerBook) in book.models.values.flatMap(\.demand.values).reduce(0) { $0 + $1.aboveFloor }
      }
      #expect(demand(small) == demand(book))
      #expect(small.models.mapValues(\.total) == book.models.mapValues(\.total))
    }
  }

  @Test(
    "A pod that went while nobody watched is told as unknown time, once, and no longer than it could have been there")
  func unknown() {
    func book(deadline: Int?) -> LedgerBook {
      var book = LedgerBook(namespace: "team", day: 0, from: 0)
      book.pods["p"] = .init(model: "llm", pool: "burst", phase: .ready, counted: 100_000)
      book.pods["p"]?.deadline = deadline
      (book.to, book.resumedAt) = (100_000, 100_000)
      book.models["llm"] = .init(since: 0)
      let empty = LedgerObservation(model: "llm", created: 0, pods: [], wanted: 0, needed: 0, floor: 0, rates: [:])
      book.advance(empty, now: 160_000)
      book.advance(empty, now: 170_000)
      return book
    }
    #expect(book(deadline: nil).gaps == [LedgerBook.Gap(from: 100_000, to: 160_000)])
    #expect(book(deadline: 130_000).gaps == [LedgerBook.Gap(from: 100_000, to: 130_000)])
    let report = LedgerReport([book(deadline: 130_000)], from: 0, to: 3_600_000, now: 170_000)
    #expect(report.models.first?.unknown == 30_000 && report.models.first?.time.paid == 30_000)
    // One that was watched to its end is known.
    var watched = book(deadline: nil)
    watched.gaps = []
    watched.resumedAt = 100_000
    let pod = PodTimes(uid: "q", pool: "burst", scheduled: 150_000, isReady: true, readinessSince: 155_000)
    watched.advance(
      LedgerObservation(model: "llm", created: 0, pods: [pod], wanted: 1, needed: 1, floor: 0, rates: [:]), now: 180_000
    )
    watched.advance(
      LedgerObservation(model: "llm", created: 0, pods: [], wanted: 0, needed: 0, floor: 0, rates: [:]), now: 181_000)
    #expect(watched.gaps.isEmpty)
  }

  @Test("A book of ordinary size is stored whole and read back the same")
  func roundTrip() throws {
    var run = LedgerCourseRun(LedgerCourse(seed: 9))
    run.run()
    for object in run.stored.values {
      let book = try LedgerConfigMap.book(object)
      #expect(LedgerCodec.json(book) == LedgerCodec.json(try LedgerCodec.book(LedgerCodec.json(book))))
      #expect(!book.isFolded)
    }
    let broken = KubernetesObject(["metadata": ["name": "b"], "data": ["book.json": "{\"v\": 7}"]])
    #expect(throws: LedgerCodec.Unreadable.self) { try LedgerConfigMap.book(broken) }
  }

  @Test("Books from before baselines were what requests need are read; this version's are read by that one")
  func olderBooks() throws {
    let hour = LedgerBook.millisecondsPerHour
    let text = #"""
      {"v": 1, "namespace": "team", "day": 0, "from": 0, "to": 7200000, "rest": false, "rates": [], "models": {"llm":
       {"since": 0, "peak": 5, "course": [7200000, 4, 2], "demand": [[0, 5, 2, 1000], [1, 4, 0, 500]]}}}
      """#
    let book = try LedgerCodec.book(try JSONValue(parsing: text))
    let model = try #require(book.models["llm"])
    // The peak of what was wanted is not that of what is needed: it begins anew.
    #expect(model.peak == 0)
    #expect(model.course == LedgerBook.Course(at: 7_200_000, wanted: 4, floor: 2, needed: 0))
    #expect(
      model.demand == [
        0: BaselineDemand(peak: 5, floor: 2, aboveFloor: 1000, floorAboveOne: hour, dedicated: 2 * hour),
        1: BaselineDemand(peak: 4, aboveFloor: 500),
      ])
    var now = book
    now.models["llm"]?.peak = 3
    now.models["llm"]?.course?.needed = 1
    let json = LedgerCodec.json(now)
    // Members and places that the version before reads.
    #expect(json["v"] == 1 && json[path: ["models", "llm", "peak"]] == 3)
    #expect(json[path: ["models", "llm", "demand"]]?[0]?.arrayValue?.prefix(4) == [0, 5, 2, 1000])
    #expect(json[path: ["models", "llm", "demand"]]?[1]?.arrayValue == [1, 4, 0, 500])
    #expect(json[path: ["models", "llm", "course"]]?.arrayValue?.prefix(3) == [7_200_000, 4, 2])
    let again = try LedgerCodec.book(json)
    #expect(again.models["llm"]?.peak == 3 && again.models["llm"]?.course == now.models["llm"]?.course)
    #expect(again.models["llm"]?.demand == model.demand)
  }

  @Test("Advice and embodied emissions go through a book, to the next day and into the report; versions before read it")
  func adviceAndEmbodied() throws {
    var book = LedgerBook(namespace: "team", day: 0, from: 0)
    let rates = LedgerRates(
      idleWatts: 500, busyWatts: 500, powerMethod: .spec, carbonGramsPerKWh: 400, carbonMethod: .table,
      embodiedGramsPerHour: 50, embodiedMethod: .settings, waitingHourlyPrice: 30)
    func look(_ minute: Int, _ concurrency: Double?) {
      let pod = PodTimes(uid: "p", pool: "burst", scheduled: 0, isReady: true, readinessSince: 0)
      book.advance(
        LedgerObservation(
          model: "llm", created: 0, pods: [pod], wanted: 1, needed: 1, floor: 0, rates: ["burst": rates],
          advice: concurrency.map { CapacityAdvice(bend: 4, concurrency: $0, aloneSeconds: 0.2, samples: 99) }),
        now: minute * 60_000)
    }
    look(0, nil)
    look(10, 20)
    look(20, 20.5)
    look(30, nil)
    let account = ServiceAccount(
      sinceMilliseconds: 0, rows: [.init(pool: "burst", tenant: "a", counts: LedgerCounts(requests: 10))])
    book.record(account, of: "llm", from: "g", bootID: "b", now: 119 * 60_000)
    look(120, nil)
    let stored = try LedgerCodec.book(LedgerCodec.json(book))
    #expect(stored.models["llm"]?.capacity?.at == 600_000 && stored.models["llm"]?.capacity?.advice.target == 14)
    #expect(stored.models["llm"]?.capacity == book.models["llm"]?.capacity && stored.rates == book.rates)
    #expect(stored.next(at: 86_500_000).models["llm"]?.capacity == book.models["llm"]?.capacity)
    let model = try #require(LedgerReport([stored], from: 0, to: 7_200_000, now: 7_200_000).models.first)
    #expect(model.capacity?.advice.samples == 99)
    // Two hours: 1 kWh at 400 g, and 50 g for each hour of the hardware.
    #expect(model.bill.carbonKg == 0.4 && model.bill.embodiedKg == 0.1 && model.includesEmbodied)
    #expect(abs((model.intensityPerRequest ?? 0) - 50) < 1e-9)
    let summary = stored.summary(of: "llm", now: 7_200_000)
    #expect(summary?.used.embodiedKg == nil)
    #expect(book.summary(of: "llm", now: 7_200_000)?.used.embodiedKg == 0.1)
    // Without the figure for some of the time it is not known of the whole.
    book.rates.append(LedgerRates(idleWatts: 500, busyWatts: 500, carbonGramsPerKWh: 400))
    book.models["llm"]?.replicas[.init(hour: 1, pool: "burst", rate: 1)] = ReplicaTime(ready: 1000)
    let mixed = try #require(LedgerReport([book], from: 0, to: 7_200_000, now: 7_200_000).models.first)
    #expect(mixed.bill.embodiedKg == nil && !mixed.includesEmbodied && (mixed.intensityPerRequest ?? 0) < 41)
    // A service that is made again has learned nothing.
    book.models["llm"]?.isGone = true
    look(130, nil)
    #expect(book.models["llm"]?.capacity == nil)
  }

  @Test("A new day's book forgets how long pods were busy that are gone, and counts none of it again")
  func pastPods() {
    var book = LedgerBook(namespace: "team", day: 0, from: 0)
    func say(_ busy: [String: Int], _ now: Int) {
      book.record(
        ServiceAccount(sinceMilliseconds: 0, busyMilliseconds: busy), of: "llm", from: "g", bootID: "b", now: now)
    }
    book.pods["new"] = .init(model: "llm", pool: "burst", phase: .ready, counted: 0)
    book.pods["old"] = .init(model: "llm", pool: "burst", phase: .ready, counted: 0)
    say(["old": 70, "new": 50], 86_000_000)
    book.pods["old"] = nil
    book = book.next(at: 86_500_000)
    #expect(book.gateways["g"]?.services["llm"]?.busyMilliseconds == ["new": 50])
    // The gateway still tells of it.
    say(["old": 70, "new": 60], 86_500_010)
    #expect(book.pods["new"]?.pending == ["g": 60] && book.pods["old"] == nil)
    #expect(book.gateways["g"]?.services["llm"]?.busyMilliseconds == ["new": 60])
  }

  @Test("What was needed while nobody looked is the less of before and after; a floor counts for as long as it held")
  func unwatchedDemand() throws {
    var book = LedgerBook(namespace: "team", day: 0, from: 0)
    func look(_ second: Int, needed: Int, floor: Int = 0) {
      book.advance(
        LedgerObservation(
          model: "llm", created: 0, pods: [], wanted: 4, needed: needed, floor: floor, rates: [:]), now: second * 1000)
    }
    look(0, needed: 1)
    look(10, needed: 4)
    look(20, needed: 4)
    // Killed, and another one goes on: 100 s at 2, not at 4.
    book.resumedAt = 20_000
    look(120, needed: 2)
    look(130, needed: 3, floor: 3)
    look(140, needed: 3)
    let demand = try #require(book.models["llm"]?.demand[0])
    #expect(demand.aboveFloor == 1000 * (10 * 3 + 100 * 1 + 10 * 1))
    #expect(demand.floorAboveOne == 20_000 && demand.dedicated == 30_000 && demand.peak == 4 && demand.floor == 3)
    let (dedicated, burst) = demand.replicaTime(of: .floorPlusOnDemand, over: 140_000)
    #expect(dedicated == 30_000 && dedicated + burst == 140_000 + 20_000 + 140_000)
    #expect(demand.replicaTime(of: .alwaysOnPeak, over: 140_000) == (30_000, 530_000))
  }

  @Test("Rows beyond 32 tenants in an hour share one")
  func tenants() {
    var book = LedgerBook(namespace: "team", day: 0, from: 0)
    let rows = (0..<50).map {
      ServiceAccount.Row(pool: "burst", tenant: "t\($0)", counts: LedgerCounts(requests: 1))
    }
    book.record(ServiceAccount(sinceMilliseconds: 0, rows: rows), of: "llm", from: "g", bootID: "b", now: 10)
    let usage = book.models["llm"]?.usage ?? [:]
    #expect(usage.count == 33)
    #expect(usage.values.reduce(0) { $0 + $1.requests } == 50)
  }

  @Test("Savings against both baselines, by hand")
  func savings() {
    var book = LedgerBook(namespace: "team", day: 0, from: 0)
    let rates = LedgerRates(
      hourlyPrice: 2, priceMethod: .spec, idleWatts: 100, busyWatts: 500, powerMethod: .table, effectiveness: 1.5,
      effectivenessMethod: .settings, carbonGramsPerKWh: 400, carbonMethod: .table)
    func look(_ minute: Int, pods: Int) {
      let times = (0..<pods).map {
        PodTimes(uid: "p\($0)", pool: "burst", scheduled: 0, isReady: true, readinessSince: 0)
      }
      book.advance(
        LedgerObservation(
          model: "llm", created: 0, pods: times, wanted: pods, needed: pods, floor: 0,
          rates: ["burst": rates, "dedicated": rates]),
        now: minute * 60_000)
    }
    look(0, pods: 3)
    look(60, pods: 3)
    look(60, pods: 0)
    look(240, pods: 0)
    let report = LedgerReport([book], from: 0, to: 4 * 3_600_000, now: 4 * 3_600_000)
    let model = report.models.first
    // 3 replica-hours at 2; 12 at the peak; one all the time and two more for an hour.
    #expect(model?.bill.cost == 6)
    #expect(model?.comparisons.map(\.milliseconds) == [12 * 3_600_000, 6 * 3_600_000])
    #expect(model?.comparisons.map(\.saved.cost) == [18, 6])
    // 3 h x 100 W x 1.5.
    #expect(abs((model?.bill.energyKWh ?? 0) - 0.45) < 1e-9)
    #expect(abs((model?.bill.carbonKg ?? 0) - 0.18) < 1e-9)
    let summary = book.summary(of: "llm", now: 4 * 3_600_000)
    #expect(summary?.percent == 75)
    #expect(report.missing["team"] == 0)
  }

  @Test("Two gateways' busy time lies between the larger and the sum")
  func union() {
    #expect(LedgerBook.union([700], within: 1000) == 700)
    #expect(LedgerBook.union([500, 500], within: 1000) == 750)
    #expect(LedgerBook.union([1000, 400], within: 1000) == 1000)
    #expect(LedgerBook.union([0, 0], within: 1000) == 0)
  }

  @Test("Notes are kept with a model, and bounded")
  func notes() {
    var ledger = Ledger()
    let early = ledger.setNote("x", for: "llm", in: "team")
    #expect(!early)
    ledger.load([], now: 0)
    let pod = PodTimes(uid: "p", pool: "burst", scheduled: 0)
    ledger.advance(
      LedgerObservation(model: "llm", created: 0, pods: [pod], wanted: 1, needed: 1, floor: 0, rates: [:]), in: "team",
      now: 1000)
    let taken = ledger.setNote("gaps", for: "llm", in: "team")
    let long = ledger.setNote(String(repeating: "x", count: 2049), for: "llm", in: "team")
    #expect(taken && !long)
    #expect(ledger.note(for: "llm", in: "team") == "gaps")
  }
}
