/// The clairvoyant optimum: in each silence the replica stays until the next request or goes at once, and all choices
/// together are the cheapest there are. Only requests wake it.
///
/// A request that finds the replica empty finds it awake or asleep, and what comes after depends on nothing else. So
/// the cheapest way is a shortest path (Viterbi, 1967): where several courses are empty when a request comes, the
/// cheapest goes on awake, and the cheapest, which may be another one, goes on asleep. Courses that are busy or loading
/// then go on beside them.
///
/// Of those courses, and of the one that goes on asleep, none is held that costs no less, up to the request, than the
/// one that goes on awake: it cannot win any more. For let that one stay until the other is empty, and then choose as
/// the other does.
/// - It is the first to start every request. First come is first served, so a request waits for the load, or for a
///   place, or not at all; until a request comes that it would start later, whatever it has not finished the other has
///   not either, so it has a place whenever the other has one.
/// - It does not serve slower. A request runs with no more others than at the other replica: where that one starts it
///   on arrival, by the same comparison; where it waited for a place there, all places are taken; where it waited for
///   the load, all that came since the wake run, or all places are taken. Fewer others never make a request slower
///   (``ServiceTimes/secondsPerBatchedRequest`` is not negative).
/// - So it is empty no later, costs no more until then, and meets the same load times afterwards: they are drawn by
///   request.
///
/// With that, a course parts in two only where a gap costs more than a cold start's price alone, and mostly the two are
/// one again when what was woken is empty. Many are open at a time only where that price is next to nothing of a load
/// time: then the cheapest are held, and a note says so.
struct ClairvoyantRun: PolicyRun {
  /// One way to have chosen so far.
  private struct Course {
    var replica = LoneReplica()
    /// What it cost until a moment at which it is there, less that moment: the same as long as it stays.
    var base: Int64 = 0
    var account = ModelAccount()
    var tally: CourseTally
    /// What it cost until it became empty.
    var untilIdle: Int64 { base + replica.latestEnd }

    mutating func settle(to now: Int64, _ service: ServiceTimes) {
      replica.settle(to: now, service, &tally, &account)
    }

    mutating func take(_ request: PendingRequest, limit: Int, _ service: ServiceTimes) {
      replica.take(request, limit: limit, service, &tally, &account)
    }

    mutating func endBusyPeriod() { replica.countBusy(&tally, &account) }

    mutating func stay(until now: Int64) {
      LoneReplica.countIdle(from: replica.latestEnd, to: now, &tally, &account)
    }

    /// Goes when it is empty, and is woken now.
    mutating func go(until now: Int64, loadTime: Int64, price: Int64) {
      base = untilIdle + price - now
      replica.wake(at: now, loadTime, &tally, &account)
    }
  }

  private struct Model {
    /// The only course, which is counted for good; where there are several, what it was when they parted.
    var replica = LoneReplica()
    var base: Int64 = 0
    var courses: [Course] = []
  }

  /// More are not held.
  static let mostCourses = 256

  private let name: String
  private let service: ServiceTimes
  private let loadTimes: LoadTimes
  private let limit: Int
  /// Of a cold start, beside its load time, in replica-microseconds.
  private let price: Int64
  private let keepsTimeline: Bool
  private var models: [Model] = []
  private var accounts: [ModelAccount] = []
  private var tally: RequestTally
  private var droppedCourses = false

  init(_ name: String, _ settings: SimulationSettings) {
    self.name = name
    service = settings.service
    loadTimes = settings.loadTimes
    limit = settings.maxConcurrency
    price = Int64((settings.costs.coldStartPrice * 1e6).rounded())
    keepsTimeline = settings.keepsTimeline
    tally = RequestTally(settings)
  }

  mutating func add(_ requests: [TraceRequest]) {
    if keepsTimeline, tally.timeline == nil, let first = requests.first {
      tally.timeline = Timeline(start: first.timeMicroseconds)
    }
    for request in requests { add(PendingRequest(request), to: Int(request.model)) }
  }

  @inline(__always)
  private mutating func add(_ request: PendingRequest, to model: Int) {
    while models.count <= model {
      models.append(Model())
      accounts.append(ModelAccount())
    }
    if models[model].courses.isEmpty { addToOne(request, model) } else { addToSeveral(request, model) }
  }

  @inline(__always)
  private mutating func addToOne(_ request: PendingRequest, _ model: Int) {
    models[model].replica.settle(to: request.arrival, service, &tally, &accounts[model])
    if models[model].replica.isIdle, endIdlePeriod(of: model, at: request.arrival) { return take(request, model) }
    accounts[model].noteArrival(request, service)
    models[model].replica.take(request, limit: limit, service, &tally, &accounts[model])
  }

  // Not inlined: what is usual stays short.
  @inline(never)
  private mutating func addToSeveral(_ request: PendingRequest, _ model: Int) {
    meet(model, at: request.arrival)
    if models[model].courses.isEmpty { addToOne(request, model) } else { take(request, model) }
  }

  @inline(never)
  private mutating func take(_ request: PendingRequest, _ model: Int) {
    accounts[model].noteArrival(request, service)
    for index in models[model].courses.indices {
      models[model].courses[index].take(request, limit: limit, service)
    }
  }

  /// Of the only course: it stays where that is certainly no dearer, else it parts in two, and the answer is true.
  private mutating func endIdlePeriod(of model: Int, at now: Int64) -> Bool {
    guard models[model].replica.hasRun else {
      accounts[model].peakReplicas = 1
      models[model].base = price - now
      models[model].replica.wake(at: now, loadTime(model), &tally, &accounts[model])
      return false
    }
    models[model].replica.countBusy(&tally, &accounts[model])
    let since = models[model].replica.latestEnd
    if now - since <= price {
      LoneReplica.countIdle(from: since, to: now, &tally, &accounts[model])
      return false
    }
    part(model, at: now)
    return true
  }

  private mutating func part(_ model: Int, at now: Int64) {
    var stays = Course(
      replica: models[model].replica, base: models[model].base, tally: CourseTally(partOf: tally))
    var goes = stays
    stays.stay(until: now)
    goes.go(until: now, loadTime: loadTime(model), price: price)
    models[model].courses = [stays, goes]
  }

  /// Where courses are empty when a request comes: the cheapest go on, one awake and one asleep, and the others end.
  private mutating func meet(_ model: Int, at now: Int64) {
    for index in models[model].courses.indices { models[model].courses[index].settle(to: now, service) }
    let courses = models[model].courses
    let empty = courses.indices.filter { courses[$0].replica.isIdle }
    guard let awake = empty.min(by: { courses[$0].base < courses[$1].base }),
      let cheapest = empty.min(by: { courses[$0].untilIdle < courses[$1].untilIdle })
    else { return }
    // Of equal ones the one that goes on awake too: then there is less to hold.
    let asleep = courses[awake].untilIdle == courses[cheapest].untilIdle ? awake : cheapest
    let mayWin = courses[asleep].untilIdle + price - now < courses[awake].base
    let others = courses.indices.filter {
      !courses[$0].replica.isIdle && courses[$0].base < courses[awake].base
    }
    // What comes after has one past: it is counted for good.
    if others.isEmpty, asleep == awake || !mayWin { return settleOn(courses[awake], model) }
    var next = [courses[awake]]
    next[0].endBusyPeriod()
    next[0].stay(until: now)
    if mayWin {
      var goes = courses[asleep]
      goes.endBusyPeriod()
      goes.go(until: now, loadTime: loadTime(model), price: price)
      next.append(goes)
    }
    for other in others { next.append(courses[other]) }
    if next.count > Self.mostCourses, let dearest = next.indices.dropFirst().max(by: { next[$0].base < next[$1].base })
    {
      next.remove(at: dearest)
      droppedCourses = true
    }
    models[model].courses = next
  }

  /// It was this course.
  private mutating func settleOn(_ course: Course, _ model: Int) {
    models[model].replica = course.replica
    models[model].base = course.base
    models[model].courses = []
    accounts[model] += course.account
    course.tally.add(to: &tally)
  }

  private func loadTime(_ model: Int) -> Int64 {
    loadTimes.draw(model: model, request: accounts[model].requests, ordinal: 0)
  }

  /// What the trace's end cuts off has no request to stay for: the replica goes when it is empty.
  mutating func finish(at end: Int64) -> PolicyOutcome {
    for model in models.indices {
      for index in models[model].courses.indices { models[model].courses[index].settle(to: .max, service) }
      if let best = models[model].courses.min(by: { $0.untilIdle < $1.untilIdle }) { settleOn(best, model) }
      guard models[model].replica.hasRun else { continue }
      models[model].replica.settle(to: .max, service, &tally, &accounts[model])
      models[model].replica.countBusy(&tally, &accounts[model])
    }
    return PolicyOutcome(
      policy: name, models: accounts, waits: tally.waits, firstTokens: tally.firstTokens, timeline: tally.timeline,
      note: droppedCourses ? "of the \(Self.mostCourses) cheapest courses at a time: maybe not the least cost" : nil)
  }
}
