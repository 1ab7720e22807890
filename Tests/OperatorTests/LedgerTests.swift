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
    #expect(time.busy == course.busy)
    #expect(run.report.models.allSatisfy { $0.unknown == 0 })
    #expect(Set(run.report.lines.map(\.hour)).count == 2)
  }

  @Test("A kill at every write loses no request and no replica time, and counts nothing twice", arguments: 1...1)
  func killed(seed: Int) {
    let course = LedgerCourse(seed: UInt64(seed))
    var whole = LedgerCourseRun(course)
    whole.run()
    #expect(whole.writes > 25)
    for write in 1...whole.writes {
      var run = LedgerCourseRun(course)
      run.run(killedAfter: write)
      let (time, counts) = Self.totals(run.report)
      let unknown = run.report.models.map(\.unknown).max() ?? 0
      #expect(counts == course.requests, "after write \(write)")
      // A pod whose end nobody saw is counted until it is missed, and the ledger says for how long that is not known.
      let excess = time.paid - course.time.paid
      #expect(excess >= 0 && (unknown > 0 || excess == 0), "after write \(write): \(excess) ms too many")
      #expect(excess <= 14 * 9000, "after write \(write)")
      #expect(abs(time.busy - course.busy) <= 14 * 1000, "after write \(write)")
    }
  }

  @Test("A write that meets another's is given up, the stored book counts, and nothing is lost or counted twice")
  func conflict() {
    let course = LedgerCourse(seed: 3)
    for second in stride(from: 25, to: 580, by: 37) {
      var run = LedgerCourseRun(course)
      run.run(conflictAt: second)
      let (time, counts) = Self.totals(run.report)
      #expect(counts == course.requests, "at \(second)")
      #expect(time.paid >= course.time.paid, "at \(second)")
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
    // Counters that fall are not believed.
    say(1, "two", since: 4000, now: 6000)
    #expect(ledger.book(of: "team")?.models["llm"]?.totalCounts.requests == 19)
  }

  @Test("A thousand models with a full day fit one ConfigMap; sums stay, and what was summed up is said")
  func size() throws {
    var book = LedgerBook(namespace: "team", day: 20_000, from: 20_000 * 86_400_000)
    book.rates = [LedgerRates(hourlyPrice: 3, priceMethod: .spec)]
    book.to = book.from + 86_000_000
    for number in 0..<1000 {
      var model = LedgerBook.Model(since: book.from)
      for hour in 480_000..<480_024 {
        for pool in ["burst", "dedicated"] {
          model.replicas[.init(hour: hour, pool: pool, rate: 0)] = ReplicaTime(loading: 61_234, ready: 1_234_567)
          for tenant in 0..<4 {
            model.usage[.init(hour: hour, pool: pool, tenant: "9f86d081884c7d6\(tenant)")] = LedgerCounts(
              requests: 1234, promptTokens: 123_456, outputTokens: 98_765, waits: 12, waitMilliseconds: 34_567,
              servingMilliseconds: 1_234_567)
          }
        }
        model.demand[hour] = LedgerDemand(peak: 4, floor: 1, aboveFloor: 1_234_567)
      }
      model.total[.init(pool: "burst", rate: 0)] = ReplicaTime(ready: 1_234_567_890)
      model.note = String(repeating: "n", count: 2048)
      book.models["model-with-a-long-name-\(number)"] = model
      for gateway in 0..<3 {
        var account = ServiceAccount(sinceMilliseconds: book.from)
        account.rows = (0..<4).map {
          .init(pool: "burst", tenant: "9f86d081884c7d6\($0)", counts: LedgerCounts(requests: 29_616, promptTokens: 9))
        }
        book.gateways["gateway-\(gateway)", default: .init(bootID: "boot", heard: book.to)]
          .services["model-with-a-long-name-\(number)"] = account
      }
    }
    let (object, foldings) = try #require(LedgerConfigMap.object(book, home: "home"))
    #expect(object.json.text.utf8.count < 520 << 10)
    #expect(!foldings.isEmpty)
    let small = try LedgerConfigMap.book(object)
    #expect(small.isFolded)
    let sum = { (book: LedgerBook) in
      Self.totals(LedgerReport([book], from: book.from, to: book.from + 86_400_000, now: book.to))
    }
    #expect(sum(small).time == sum(book).time)
    #expect(sum(small).counts == sum(book).counts)
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
          model: "llm", created: 0, pods: times, wanted: pods, floor: 0, rates: ["burst": rates, "dedicated": rates]),
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
      LedgerObservation(model: "llm", created: 0, pods: [pod], wanted: 1, floor: 0, rates: [:]), in: "team", now: 1000)
    let taken = ledger.setNote("gaps", for: "llm", in: "team")
    let long = ledger.setNote(String(repeating: "x", count: 2049), for: "llm", in: "team")
    #expect(taken && !long)
    #expect(ledger.note(for: "llm", in: "team") == "gaps")
  }
}
