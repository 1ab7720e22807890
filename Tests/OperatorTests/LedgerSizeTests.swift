import Decisions
import KubernetesAPI
import Testing

@testable import Operator

@Suite struct LedgerSizeTests {
  /// A full day of busy models: two pools, four tenants, all hours, three gateways.
  private static func fullDay(models: Int, note: Int = 0) -> LedgerBook {
    var book = LedgerBook(namespace: "team", day: 20_000, from: 20_000 * 86_400_000)
    book.rates = [LedgerRates(hourlyPrice: 3, priceMethod: .spec)]
    book.to = book.from + 86_000_000
    for number in 0..<models {
      let name = "model-with-a-long-name-\(number)"
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
        model.demand[hour] = BaselineDemand(peak: 4, floor: 1, aboveFloor: 1_234_567)
      }
      model.total[.init(pool: "burst", rate: 0)] = ReplicaTime(ready: 1_234_567_890)
      model.totalCounts = LedgerCounts(requests: 1_234_567, promptTokens: 123_456_789, outputTokens: 98_765_432)
      model.note = String(repeating: "n", count: note)
      book.models[name] = model
      book.pods["5f86d081-884c-7d65-9a2f-\(number)"] = .init(
        model: name, pool: "burst", phase: .ready, counted: book.to)
      for gateway in 0..<3 {
        var account = ServiceAccount(sinceMilliseconds: book.from)
        account.rows = (0..<4).map {
          .init(pool: "burst", tenant: "9f86d081884c7d6\($0)", counts: LedgerCounts(requests: 29_616, promptTokens: 9))
        }
        book.gateways["gateway-\(gateway)", default: .init(bootID: "boot", heard: book.to)].services[name] = account
      }
    }
    return book
  }

  private static func sums(_ books: [LedgerBook]) -> (time: ReplicaTime, counts: LedgerCounts) {
    let first = books.map(\.from).min() ?? 0
    return LedgerTests.totals(LedgerReport(books, from: first, to: first + 86_400_000, now: first + 86_000_000))
  }

  /// Bytes are linear in the number of models: 13 of them in a fiftieth of the room.
  @Test("650 models with a full day fit one ConfigMap; sums stay, and what was summed up is said")
  func oneObject() throws {
    let book = Self.fullDay(models: 13)
    let image = try #require(LedgerConfigMap.image(book, home: "home", mostBytes: LedgerConfigMap.mostBytes / 50))
    #expect(image.parts == 1 && image.objects.count == 1)
    #expect(!image.foldings.isEmpty && image.foldings.allSatisfy { !$0.isLossy })
    let small = try LedgerConfigMap.book(try #require(image.objects.first))
    #expect(small.isFolded)
    #expect(Self.sums([small]).time == Self.sums([book]).time)
    #expect(Self.sums([small]).counts == Self.sums([book]).counts)
  }

  @Test(
    "What does not fit one ConfigMap goes on in further ones of the day, each within the bound, and nothing is left out"
  )
  func furtherObjects() throws {
    let book = Self.fullDay(models: 40, note: 500)
    let most = 12_000
    let image = try #require(LedgerConfigMap.image(book, home: "home", mostBytes: most))
    #expect(image.parts > 1 && image.objects.count == image.parts)
    #expect(image.foldings.allSatisfy { !$0.isLossy })
    let names = image.objects.map(\.metadata.name)
    #expect(names.last == "pilotlight-ledger.team.2024-10-04" && names.first?.hasSuffix(".\(image.parts - 1)") == true)
    for object in image.objects {
      #expect(object.json[path: ["data", "book.json"]]?.stringValue?.utf8.count ?? .max <= most)
      #expect(object.json[path: ["data", "book.json"]]?.stringValue?.contains("\"v\":2") == true)
      #expect(object.metadata.labels[LedgerConfigMap.label] == "book")
    }
    let parts = try image.objects.map { try LedgerConfigMap.book($0) }
    let whole = try #require(LedgerBook.joined(parts))
    #expect(Set(whole.models.keys) == Set(book.models.keys))
    #expect(whole.models.values.allSatisfy { $0.note.utf8.count == 500 })
    #expect(whole.pods == book.pods && whole.parts == image.parts)
    #expect(whole.gateways["gateway-1"]?.services.count == 40)
    #expect(Self.sums(parts).time == Self.sums([book]).time)
    #expect(Self.sums(parts).counts == Self.sums([book]).counts)
    // It stays in as many parts for the day, though fewer would do, and begins anew in one on the next.
    #expect(LedgerConfigMap.image(whole, home: "home")?.parts == image.parts)
    #expect(whole.next(at: whole.to + 86_400_000).parts == 1)
  }

  @Test("Past the last part notes and cursors are left out; what still does not fit is refused")
  func refused() throws {
    let book = Self.fullDay(models: 8, note: 2000)
    let image = try #require(LedgerConfigMap.image(book, home: "home", mostBytes: 2600, mostParts: 4))
    #expect(image.foldings.contains(.notes) && image.parts == 4)
    #expect(LedgerConfigMap.image(book, home: "home", mostBytes: 300, mostParts: 4) == nil)
  }

  @Test("What is told of a book's length without its text is never too much")
  func leastBytes() {
    for seed in 1...3 {
      var run = LedgerCourseRun(LedgerCourse(seed: UInt64(seed)))
      run.run()
      for object in run.stored.values {
        guard let book = try? LedgerConfigMap.book(object) else { continue }
        #expect(LedgerConfigMap.leastBytes(of: book) < LedgerCodec.json(book).text.utf8.count)
      }
    }
    var small = LedgerBook(namespace: "a", day: 0, from: 0)
    small.rates = [LedgerRates()]
    for number in 0..<100 {
      var model = LedgerBook.Model(since: 0)
      for hour in 0..<3 {
        model.replicas[.init(hour: hour, pool: "burst", rate: 0)] = ReplicaTime()
        model.usage[.init(hour: hour, pool: "burst", tenant: "-")] = LedgerCounts()
        model.demand[hour] = BaselineDemand()
      }
      small.models["\(number)"] = model
      small.pods["\(number)"] = .init(model: "\(number)", pool: "burst", phase: .loading, counted: 0)
      var account = ServiceAccount(sinceMilliseconds: 0)
      account.rows = [.init(pool: "burst", tenant: "-", counts: LedgerCounts())]
      small.gateways["g", default: .init(bootID: "", heard: 0)].services["\(number)"] = account
    }
    #expect(LedgerConfigMap.leastBytes(of: small) < LedgerCodec.json(small).text.utf8.count)
  }

  @Test("A model stays in its part or goes to a new one when parts double, and parts are about equal")
  func placing() {
    let names = (0..<1000).map { "model-\($0)" }
    for parts in [1, 2, 4, 8, 16] {
      var sizes = [Int](repeating: 0, count: parts)
      for name in names {
        let part = LedgerBook.part(of: name, parts: parts)
        sizes[part] += 1
        #expect([part, part + parts].contains(LedgerBook.part(of: name, parts: 2 * parts)))
      }
      #expect(sizes.allSatisfy { $0 > 1000 / parts * 2 / 3 })
    }
  }

  @Test("A kill at every write of every part loses and doubles nothing, while a book is split and over midnight")
  func killedBetweenParts() {
    let course = LedgerCourse(seed: 2)
    // The first day's book is split in its middle, the second one's at once.
    let splits = [150..<300, 360..<600]
    var whole = LedgerCourseRun(course, splits: splits)
    whole.run()
    #expect(whole.stored.keys.contains { $0.hasSuffix("27.1") } && whole.stored.keys.contains { $0.hasSuffix("28.1") })
    #expect(LedgerTests.totals(whole.report).counts == course.requests)
    #expect(LedgerTests.totals(whole.report).time.paid == course.time.paid)
    for write in 1...whole.writes {
      var run = LedgerCourseRun(course, splits: splits)
      run.run(killedAfter: write)
      let (time, counts) = LedgerTests.totals(run.report)
      let unknown = run.report.models.map(\.unknown).max() ?? 0
      #expect(counts == course.requests, "after write \(write)")
      let excess = time.paid - course.time.paid
      #expect(
        excess >= 0 && excess <= 14 * unknown, "after write \(write): \(excess) ms too many, \(unknown) not known")
    }
  }

  @Test("Of a day with a part missing, its models go on from the day before")
  func missingPart() throws {
    let yesterday = Self.fullDay(models: 6)
    var today = yesterday.next(at: yesterday.to + 1_000_000)
    for name in today.models.keys { today.models[name]?.totalCounts.requests += 5 }
    let one = today.part(0, of: 2)
    let joined = try #require(LedgerBook.joined([one], previous: yesterday))
    #expect(joined.models.count == 6 && joined.pods.count == 6)
    for (name, model) in joined.models {
      let isStored = LedgerBook.part(of: name, parts: 2) == 0
      #expect(model.totalCounts.requests == 1_234_567 + (isStored ? 5 : 0))
      #expect(model.usage.isEmpty)
    }
  }

  @Test("Of a model that is in two parts, because a split was cut short, what was stored last counts")
  func splitCutShort() throws {
    let before = Self.fullDay(models: 6)
    var after = before
    after.to += 1000
    for name in after.models.keys { after.models[name]?.totalCounts.requests += 5 }
    // All pods have gone meanwhile, and are counted to their end.
    after.pods = [:]
    for stored in [[before, after.part(1, of: 2)], [after.part(1, of: 2), before]] {
      let joined = try #require(LedgerBook.joined(stored))
      #expect(joined.parts == 2 && joined.models.count == 6)
      for (name, model) in joined.models {
        let isNew = LedgerBook.part(of: name, parts: 2) == 1
        #expect(model.totalCounts.requests == 1_234_567 + (isNew ? 5 : 0))
        #expect(joined.pods.values.contains { $0.model == name } == !isNew)
      }
    }
  }

  @Test("Of two boots of a gateway in two parts the later one counts")
  func boots() throws {
    func book(_ boot: String, _ heard: Int, part: Int) -> LedgerBook {
      var book = LedgerBook(namespace: "team", day: 0, from: 0)
      (book.part, book.parts, book.to) = (part, 2, heard)
      book.gateways["g"] = .init(bootID: boot, heard: heard)
      return book
    }
    for pair in [
      [book("old", 10, part: 0), book("new", 20, part: 1)], [book("new", 20, part: 0), book("old", 10, part: 1)],
    ] {
      #expect(LedgerBook.joined(pair)?.gateways["g"]?.bootID == "new")
    }
  }
}
