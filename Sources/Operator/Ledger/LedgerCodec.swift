import Decisions
import KubernetesAPI

/// A book as the compact JSON of a ConfigMap: rows are lists of numbers in a fixed order. `docs/ledger.md` describes it.
public enum LedgerCodec {
  static let version = 1
  /// Of one part of several: who does not know of parts must not take it for the whole.
  static let partVersion = 2

  /// Why a stored book cannot be read.
  public struct Unreadable: Error, Equatable, CustomStringConvertible {
    public var description: String
  }

  // MARK: - Writing

  static func json(_ book: LedgerBook) -> JSONValue {
    let first = book.day * LedgerBook.hoursPerDay
    var json: JSONValue = [
      "v": JSONValue(book.parts > 1 ? partVersion : version), "namespace": .string(book.namespace),
      "day": JSONValue(book.day),
      "from": JSONValue(book.from), "to": JSONValue(book.to), "rest": .bool(book.isAtRest),
      "rates": .array(book.rates.map(rates)),
      "models": .object(book.models.mapValues { model($0, firstHour: first) }),
    ]
    if !book.pods.isEmpty { json["pods"] = .object(book.pods.mapValues(pod)) }
    if !book.gateways.isEmpty { json["gateways"] = .object(book.gateways.mapValues(cursor)) }
    if !book.gaps.isEmpty { json["gaps"] = .array(book.gaps.map { numbers([$0.from, $0.to]) }) }
    if book.parts > 1 { json["part"] = numbers([book.part, book.parts]) }
    if book.isFolded { json["folded"] = true }
    if book.lostCursors { json["lostCursors"] = true }
    return json
  }

  private static func numbers(_ list: [Int]) -> JSONValue { .array(list.map { JSONValue($0) }) }

  /// Without the zeros at its end.
  private static func counts(_ counts: LedgerCounts) -> [Int] {
    var list = counts.list
    while list.last == 0 { list.removeLast() }
    return list
  }

  private static func rates(_ rates: LedgerRates) -> JSONValue {
    var json: JSONValue = ["currency": .string(rates.currency)]
    func set(_ name: String, _ value: Double?, _ method: RateMethod) {
      guard let value else { return }
      json[name] = .array([.double(value), .string(method.rawValue)])
    }
    set("hourlyPrice", rates.hourlyPrice, rates.priceMethod)
    set("busyWatts", rates.busyWatts, rates.powerMethod)
    set("idleWatts", rates.idleWatts, rates.powerMethod)
    set("pue", rates.effectiveness, rates.effectivenessMethod)
    set("carbonGramsPerKWh", rates.carbonGramsPerKWh, rates.carbonMethod)
    set("embodiedGramsPerHour", rates.embodiedGramsPerHour, rates.embodiedMethod)
    set("waitingHourlyPrice", rates.waitingHourlyPrice, .spec)
    return json
  }

  private static func model(_ model: LedgerBook.Model, firstHour: Int) -> JSONValue {
    var json: JSONValue = ["since": JSONValue(model.since)]
    if !model.replicas.isEmpty {
      json["replicas"] = .array(
        model.replicas.sorted { $0.key < $1.key }.map { key, time in
          row([JSONValue(key.hour - firstHour), .string(key.pool), JSONValue(key.rate)], times(time))
        })
    }
    if !model.usage.isEmpty {
      json["usage"] = .array(
        model.usage.sorted { $0.key < $1.key }.map { key, counts in
          row([JSONValue(key.hour - firstHour), .string(key.pool), .string(key.tenant)], self.counts(counts))
        })
    }
    if !model.demand.isEmpty {
      json["demand"] = .array(
        model.demand.sorted { $0.key < $1.key }.map { hour, demand in
          let floor = demand.dedicated > 0 ? [demand.floorAboveOne, demand.dedicated] : []
          return numbers([hour - firstHour, demand.peak, demand.floor, demand.aboveFloor] + floor)
        })
    }
    if !model.total.isEmpty {
      json["total"] = .array(
        model.total.sorted { $0.key < $1.key }.map { key, time in
          row([.string(key.pool), JSONValue(key.rate)], times(time))
        })
    }
    if !model.totalCounts.isZero { json["totalCounts"] = numbers(counts(model.totalCounts)) }
    // `peak` was that of the replicas wanted: what reads it still may do so.
    if model.peak > 0 { (json["peak"], json["needed"]) = (JSONValue(model.peak), JSONValue(model.peak)) }
    if let course = model.course, course.wanted > 0 || course.floor > 0 {
      json["course"] = numbers([course.at, course.wanted, course.floor, course.needed])
    }
    json["capacity"] = model.capacity.map(capacity)
    if model.isGone { json["gone"] = true }
    if !model.note.isEmpty { json["note"] = .string(model.note) }
    return json
  }

  private static func capacity(_ note: LedgerBook.CapacityNote) -> JSONValue {
    let advice = note.advice
    return [
      JSONValue(note.at), .double(advice.bend), .double(advice.concurrency), .double(advice.aloneSeconds),
      JSONValue(advice.samples),
    ]
  }

  private static func row(_ key: [JSONValue], _ values: [Int]) -> JSONValue {
    .array(key + values.map { JSONValue($0) })
  }

  private static func times(_ time: ReplicaTime) -> [Int] {
    [time.loading, time.ready, time.draining, time.busy, time.starts]
  }

  private static func pod(_ pod: LedgerBook.PodRecord) -> JSONValue {
    row(
      [.string(pod.model), .string(pod.pool)],
      [
        pod.phase.rawValue, pod.counted, pod.deadline ?? 0, pod.credit, pod.pending.values.reduce(0, +),
        pod.hasEnded ? 1 : 0,
      ])
  }

  private static func cursor(_ cursor: LedgerBook.GatewayCursor) -> JSONValue {
    var json: JSONValue = ["boot": .string(cursor.bootID), "heard": JSONValue(cursor.heard)]
    if cursor.isFolded { json["folded"] = true }
    json["models"] = .object(
      cursor.services.mapValues { account in
        var json: JSONValue = ["since": JSONValue(account.sinceMilliseconds)]
        if !account.rows.isEmpty {
          json["rows"] = .array(account.rows.map { row([.string($0.pool), .string($0.tenant)], counts($0.counts)) })
        }
        if !account.busyMilliseconds.isEmpty {
          json["busy"] = .object(account.busyMilliseconds.mapValues { JSONValue($0) })
        }
        return json
      })
    return json
  }

  // MARK: - Reading

  /// Reads a stored book. - Throws: ``Unreadable``, which says what is wrong.
  public static func book(_ json: JSONValue) throws(Unreadable) -> LedgerBook {
    guard let found = json["v"]?.intValue, found == version || found == partVersion else {
      throw Unreadable(
        description: "version \(json["v"].map { "\($0)" } ?? "none"); this program reads versions \(version) and "
          + "\(partVersion)")
    }
    guard let namespace = json["namespace"]?.stringValue, let day = json["day"]?.intValue,
      let from = json["from"]?.intValue, let to = json["to"]?.intValue
    else { throw Unreadable(description: "namespace, day, from or to is missing") }
    var book = LedgerBook(namespace: namespace, day: day, from: from)
    book.to = to
    if found == partVersion {
      guard let part = json["part"]?[0]?.intValue, let parts = json["part"]?[1]?.intValue,
        parts > 1, parts <= LedgerBook.mostParts, parts & (parts - 1) == 0, (0..<parts).contains(part)
      else { throw Unreadable(description: "part is not [number, of 2 to \(LedgerBook.mostParts)]") }
      (book.part, book.parts) = (part, parts)
    }
    book.rates = (json["rates"]?.arrayValue ?? []).map(rates)
    let first = day * LedgerBook.hoursPerDay
    for (name, value) in json["models"]?.objectValue ?? [:] {
      book.models[name] = try model(value, firstHour: first, rates: book.rates.count, name)
    }
    for (uid, value) in json["pods"]?.objectValue ?? [:] {
      guard let model = value[0]?.stringValue, let pool = value[1]?.stringValue,
        let phase = value[2]?.intValue.flatMap(ReplicaPhase.init), let counted = value[3]?.intValue
      else { throw Unreadable(description: "pods[\(uid)] has not the form [model, pool, phase, counted, ...]") }
      var record = LedgerBook.PodRecord(model: model, pool: pool, phase: phase, counted: counted)
      record.deadline = value[4]?.intValue.flatMap { $0 > 0 ? $0 : nil }
      record.credit = value[5]?.intValue ?? 0
      record.hasEnded = value[7]?.intValue == 1
      if let pending = value[6]?.intValue, pending > 0 { record.pending = ["": pending] }
      book.pods[uid] = record
    }
    for (name, value) in json["gateways"]?.objectValue ?? [:] { book.gateways[name] = cursor(value) }
    book.gaps = (json["gaps"]?.arrayValue ?? []).compactMap { gap in
      guard let from = gap[0]?.intValue, let to = gap[1]?.intValue else { return nil }
      return LedgerBook.Gap(from: from, to: to)
    }
    book.isFolded = json["folded"]?.boolValue ?? false
    book.lostCursors = json["lostCursors"]?.boolValue ?? false
    return book
  }

  private static func rates(_ json: JSONValue) -> LedgerRates {
    func value(_ name: String) -> Double? { json[name]?[0]?.doubleValue }
    func method(_ name: String) -> RateMethod {
      json[name]?[1]?.stringValue.flatMap(RateMethod.init) ?? .none
    }
    return LedgerRates(
      currency: json["currency"]?.stringValue ?? "USD", hourlyPrice: value("hourlyPrice"),
      priceMethod: method("hourlyPrice"), idleWatts: value("idleWatts"), busyWatts: value("busyWatts"),
      powerMethod: method("busyWatts"), effectiveness: value("pue") ?? 1, effectivenessMethod: method("pue"),
      carbonGramsPerKWh: value("carbonGramsPerKWh"), carbonMethod: method("carbonGramsPerKWh"),
      embodiedGramsPerHour: value("embodiedGramsPerHour"), embodiedMethod: method("embodiedGramsPerHour"),
      waitingHourlyPrice: value("waitingHourlyPrice"))
  }

  private static func model(
    _ json: JSONValue, firstHour: Int, rates: Int, _ name: String
  ) throws(Unreadable) -> LedgerBook.Model {
    var model = LedgerBook.Model(since: json["since"]?.intValue ?? 0)
    func wrong(_ what: String) -> Unreadable {
      Unreadable(description: "models[\(name)].\(what): a row has another form")
    }
    for row in json["replicas"]?.arrayValue ?? [] {
      guard let hour = row[0]?.intValue, let pool = row[1]?.stringValue, let rate = row[2]?.intValue,
        (0..<rates).contains(rate)
      else { throw wrong("replicas") }
      model.replicas[.init(hour: hour + firstHour, pool: pool, rate: rate)] = time(row, from: 3)
    }
    for row in json["usage"]?.arrayValue ?? [] {
      guard let hour = row[0]?.intValue, let pool = row[1]?.stringValue, let tenant = row[2]?.stringValue else {
        throw wrong("usage")
      }
      model.usage[.init(hour: hour + firstHour, pool: pool, tenant: tenant)] = counts(row, from: 3)
    }
    for row in json["demand"]?.arrayValue ?? [] {
      guard let hour = row[0]?.intValue else { throw wrong("demand") }
      model.demand[hour + firstHour] = demand(row)
    }
    for row in json["total"]?.arrayValue ?? [] {
      guard let pool = row[0]?.stringValue, let rate = row[1]?.intValue, (0..<rates).contains(rate) else {
        throw wrong("total")
      }
      model.total[.init(pool: pool, rate: rate)] = time(row, from: 2)
    }
    if let counts = json["totalCounts"] { model.totalCounts = self.counts(counts, from: 0) }
    model.peak = json["needed"]?.intValue ?? 0
    if let course = json["course"], let at = course[0]?.intValue {
      model.course = .init(
        at: at, wanted: course[1]?.intValue ?? 0, floor: course[2]?.intValue ?? 0, needed: course[3]?.intValue ?? 0)
    }
    if let row = json["capacity"], let at = row[0]?.intValue, let bend = row[1]?.doubleValue,
      let concurrency = row[2]?.doubleValue, let alone = row[3]?.doubleValue, let samples = row[4]?.intValue,
      (1...1_000_000).contains(concurrency)
    {
      model.capacity = .init(
        advice: CapacityAdvice(bend: bend, concurrency: concurrency, aloneSeconds: alone, samples: samples), at: at)
    }
    model.isGone = json["gone"]?.boolValue ?? false
    model.note = json["note"]?.stringValue ?? ""
    return model
  }

  /// Of a row without the floor's time, the floor held for all of its hour.
  private static func demand(_ row: JSONValue) -> BaselineDemand {
    let floor = row[2]?.intValue ?? 0
    let hour = LedgerBook.millisecondsPerHour
    return BaselineDemand(
      peak: row[1]?.intValue ?? 0, floor: floor, aboveFloor: row[3]?.intValue ?? 0,
      floorAboveOne: row[4]?.intValue ?? (BaselineDemand.alwaysOn(floor: floor) - 1) * hour,
      dedicated: row[5]?.intValue ?? floor * hour)
  }

  private static func time(_ row: JSONValue, from index: Int) -> ReplicaTime {
    func at(_ offset: Int) -> Int { row[index + offset]?.intValue ?? 0 }
    return ReplicaTime(loading: at(0), ready: at(1), draining: at(2), busy: at(3), starts: at(4))
  }

  private static func counts(_ row: JSONValue, from index: Int) -> LedgerCounts {
    LedgerCounts(list: (row.arrayValue ?? []).dropFirst(index).map { $0.intValue ?? 0 })
  }

  private static func cursor(_ json: JSONValue) -> LedgerBook.GatewayCursor {
    var cursor = LedgerBook.GatewayCursor(
      bootID: json["boot"]?.stringValue ?? "", heard: json["heard"]?.intValue ?? 0)
    cursor.isFolded = json["folded"]?.boolValue ?? false
    for (name, value) in json["models"]?.objectValue ?? [:] {
      var account = ServiceAccount(sinceMilliseconds: value["since"]?.intValue ?? 0)
      account.rows = (value["rows"]?.arrayValue ?? []).compactMap { row in
        guard let pool = row[0]?.stringValue, let tenant = row[1]?.stringValue else { return nil }
        return ServiceAccount.Row(pool: pool, tenant: tenant, counts: counts(row, from: 2))
      }
      account.busyMilliseconds = (value["busy"]?.objectValue ?? [:]).compactMapValues(\.intValue)
      cursor.services[name] = account
    }
    return cursor
  }
}
