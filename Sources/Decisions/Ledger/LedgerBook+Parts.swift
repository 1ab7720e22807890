extension LedgerBook {
  /// Most parts that a book is stored in. A power of two.
  public static let mostParts = 64

  /// Which of so many parts a model is in.
  /// - Parameter parts: a power of two. Of twice as many, a model is in the same part or in one that is new: while a book is
  ///   split, new parts first, each model is in some stored part at all times.
  public static func part(of model: String, parts: Int) -> Int {
    // FNV-1a (Fowler, Noll, Vo): the same in every process.
    let hash = model.utf8.reduce(2_166_136_261 as UInt32) { ($0 ^ UInt32($1)) &* 16_777_619 }
    return Int((hash ^ hash >> 16) % UInt32(max(1, parts)))
  }

  private func holds(_ model: String) -> Bool { Self.part(of: model, parts: parts) == part }

  /// One part of this whole book: a book of its own, of some of the models. Each part is right by itself, whenever it was
  /// stored.
  public func part(_ index: Int, of count: Int) -> LedgerBook {
    var book = self
    (book.part, book.parts) = (index, count)
    guard count > 1 else { return book }
    func isHere(_ model: String) -> Bool { Self.part(of: model, parts: count) == index }
    book.models = models.filter { isHere($0.key) }
    book.pods = pods.filter { isHere($0.value.model) }
    for (name, cursor) in gateways { book.gateways[name]?.services = cursor.services.filter { isHere($0.key) } }
    return book
  }

  /// The whole book of a day from its stored parts; nil: there is none.
  /// - Parameters:
  ///   - stored: in any order. A book that was being split may have models twice: what was stored last counts.
  ///   - previous: the whole book before it. Models of parts that are missing (they were not stored yet, or somebody deleted
  ///     them) go on from there: what happened since is counted anew.
  public static func joined(_ stored: [LedgerBook], previous: LedgerBook? = nil) -> LedgerBook? {
    guard let first = stored.first else { return nil }
    let parts = stored.map(\.parts).max() ?? 1
    let missing = (0..<parts).filter { index in !stored.contains { index % $0.parts == $0.part } }
    if stored.count == 1, parts == 1 { return first }
    var pieces = stored
    if let previous, !missing.isEmpty {
      let midnight = first.day * hoursPerDay * millisecondsPerHour
      let carried = previous.next(at: midnight)
      pieces += missing.map { carried.part($0, of: parts) }
    }
    var book = LedgerBook(namespace: first.namespace, day: first.day, from: pieces.map(\.from).min() ?? first.from)
    book.parts = parts
    for piece in pieces.sorted(by: { ($0.to, $0.parts, $0.part) < ($1.to, $1.parts, $1.part) }) { book.take(piece) }
    book.gaps = Gap.united(book.gaps)
    return book
  }

  /// Takes a part that was stored later than those before: of its models it alone counts.
  private mutating func take(_ piece: LedgerBook) {
    to = max(to, piece.to)
    isFolded = isFolded || piece.isFolded
    lostCursors = lostCursors || piece.lostCursors
    gaps += piece.gaps
    let places = piece.rates.map { self.index(of: $0) }
    models = models.filter { !piece.holds($0.key) }
    for (name, stored) in piece.models {
      var model = stored
      model.replicas = stored.replicas.reduce(into: [:]) { rows, row in
        rows[ReplicaKey(hour: row.key.hour, pool: row.key.pool, rate: places[row.key.rate]), default: ReplicaTime()] +=
          row.value
      }
      model.total = stored.total.reduce(into: [:]) { rows, row in
        rows[PoolRate(pool: row.key.pool, rate: places[row.key.rate]), default: ReplicaTime()] += row.value
      }
      models[name] = model
    }
    pods = pods.filter { !piece.holds($0.value.model) }.merging(piece.pods) { $1 }
    for (name, cursor) in piece.gateways {
      guard var known = gateways[name], known.bootID == cursor.bootID else {
        // Of two boots the later one counts: what it says of a model that it has no counts of began at zero.
        gateways[name] = cursor
        continue
      }
      known.heard = max(known.heard, cursor.heard)
      known.isFolded = known.isFolded || cursor.isFolded
      known.services = known.services.filter { !piece.holds($0.key) }.merging(cursor.services) { $1 }
      gateways[name] = known
    }
  }
}

extension LedgerBook.Gap {
  /// The same times, each once.
  static func united(_ gaps: [Self]) -> [Self] {
    gaps.sorted { ($0.from, $0.to) < ($1.from, $1.to) }.reduce(into: []) { united, gap in
      if let last = united.last, gap.from <= last.to {
        united[united.count - 1].to = max(last.to, gap.to)
      } else {
        united.append(gap)
      }
    }
  }
}
