/// The accounts of all namespaces as the leader keeps them: books that are open, books that wait to be written, and what
/// gateways have said so far.
///
/// Nothing is counted before the stored books are loaded. Everything that is counted follows from a stored book, from what
/// gateways say (their counts are cumulative) and from the pods' times: so a book may be loaded again at any time.
public struct Ledger: Sendable {
  private struct Heard: Hashable, Sendable {
    var bootID: String
    /// By namespace and model.
    var services: [String: [String: ServiceAccount]] = [:]
  }

  private var heard: [String: Heard] = [:]
  private var books: [String: LedgerBook] = [:]
  /// Books of days that are over, oldest first, until they are written.
  private var closed: [String: [LedgerBook]] = [:]
  /// Namespaces whose book must be loaded (again) first.
  public private(set) var unloaded: Set<String> = []
  /// All stored books have been looked for once.
  public private(set) var isLoaded = false
  /// Counts changes per namespace, and the count at the last write.
  private var changes: [String: Int] = [:]
  private var written: [String: Int] = [:]

  public init() {}

  // MARK: - Loading

  /// Takes the newest stored book of each namespace. - Parameter missing: namespaces that may have one which was not found yet.
  public mutating func load(_ stored: [LedgerBook], missing: Set<String> = [], now: Int) {
    isLoaded = true
    unloaded = missing
    for book in stored { open(book, now: now) }
  }

  /// Takes a namespace's newest stored book; nil: there is none.
  public mutating func reload(_ namespace: String, _ stored: LedgerBook?, now: Int) {
    unloaded.remove(namespace)
    closed[namespace] = nil
    books[namespace] = nil
    if let stored { open(stored, now: now) }
  }

  /// What is stored is not what was written last: it counts, and what is here is dropped.
  public mutating func forget(_ namespace: String) {
    unloaded.insert(namespace)
    books[namespace] = nil
    closed[namespace] = nil
    written[namespace] = changes[namespace]
  }

  private mutating func open(_ stored: LedgerBook, now: Int) {
    var book = stored
    book.resumedAt = stored.to
    if book.isOver(at: now) { book = book.next(at: now) }
    books[stored.namespace] = book
    written[stored.namespace] = changes[stored.namespace, default: 0]
    for (gateway, heard) in heard.sorted(by: { $0.key < $1.key }) {
      for (model, account) in (heard.services[stored.namespace] ?? [:]).sorted(by: { $0.key < $1.key }) {
        books[stored.namespace]?.record(account, of: model, from: gateway, bootID: heard.bootID, now: now)
        changes[stored.namespace, default: 0] += 1
      }
    }
  }

  /// Changes a namespace's book where it is loaded; a namespace that never had one gets its first.
  private mutating func change(_ namespace: String, now: Int, _ body: (inout LedgerBook) -> Void) {
    guard isOpen(namespace) else { return }
    roll(namespace, now: now)
    body(&books[namespace, default: LedgerBook(namespace: namespace, day: LedgerBook.day(of: now), from: now)])
  }

  private mutating func roll(_ namespace: String, now: Int) {
    guard let book = books[namespace], book.isOver(at: now) else { return }
    if changes[namespace] != written[namespace] { closed[namespace, default: []].append(book) }
    // A month of days that could not be written: the oldest are lost.
    if closed[namespace]?.count ?? 0 > 31 { closed[namespace]?.removeFirst() }
    books[namespace] = book.next(at: now)
  }

  // MARK: - Counting

  /// Takes what a gateway says of a model.
  public mutating func hear(
    _ account: ServiceAccount, of model: String, in namespace: String, from gateway: String, bootID: String, now: Int
  ) {
    guard account.isSane else { return }
    if heard[gateway]?.bootID != bootID { heard[gateway] = Heard(bootID: bootID) }
    heard[gateway]?.services[namespace, default: [:]][
      model, default: ServiceAccount(sinceMilliseconds: account.sinceMilliseconds)
    ].merge(account)
    guard let whole = heard[gateway]?.services[namespace]?[model] else { return }
    change(namespace, now: now) { $0.record(whole, of: model, from: gateway, bootID: bootID, now: now) }
    if books[namespace] != nil { changes[namespace, default: 0] += 1 }
  }

  /// A gateway is no more: what it said is counted, and it will say nothing else.
  public mutating func remove(gateway: String) { heard[gateway] = nil }

  /// Takes a look at a model.
  public mutating func advance(_ seen: LedgerObservation, in namespace: String, now: Int) {
    let isIdle = seen.pods.isEmpty && seen.wanted == 0
    if isIdle, let model = books[namespace]?.models[seen.model], model.course?.wanted ?? 0 == 0,
      books[namespace]?.isOver(at: now) == false,
      books[namespace]?.pods.values.contains(where: { $0.model == seen.model }) == false
    {
      return
    }
    change(namespace, now: now) { $0.advance(seen, now: now) }
    if books[namespace] != nil { changes[namespace, default: 0] += 1 }
  }

  /// A service is no more, and nothing of it runs.
  public mutating func retire(_ model: String, in namespace: String) {
    guard books[namespace]?.models[model]?.isGone == false else { return }
    books[namespace]?.models[model]?.isGone = true
    books[namespace]?.models[model]?.course = nil
    changes[namespace, default: 0] += 1
  }

  // MARK: - Writing

  /// Namespaces with something that is not stored yet, sorted.
  public var unwritten: [String] {
    Set(changes.keys.filter { changes[$0] != written[$0] }).union(closed.keys).subtracting(unloaded).sorted()
  }

  /// The next book of a namespace to be stored, with a mark for ``wrote(_:of:isClosed:)``.
  public func image(of namespace: String) -> (book: LedgerBook, mark: Int, isClosed: Bool)? {
    let mark = changes[namespace] ?? 0
    if let book = closed[namespace]?.first { return (book, mark, true) }
    return books[namespace].map { ($0, mark, false) }
  }

  /// What was stored of a namespace.
  public mutating func wrote(_ mark: Int, of namespace: String, isClosed: Bool) {
    guard isClosed else {
      written[namespace] = mark
      return
    }
    closed[namespace]?.removeFirst()
    if closed[namespace]?.isEmpty == true { closed[namespace] = nil }
  }

  /// Rows were summed up and models spread over parts to make a book fit: it goes on so.
  public mutating func fold(_ namespace: String, _ steps: [LedgerBook.Folding], parts: Int) {
    for step in steps where !step.isLossy && step != .cursorTenants {
      if let book = books[namespace] { books[namespace] = book.folded(step) }
    }
    books[namespace]?.parts = parts
  }

  // MARK: - Reading

  /// The open book of a namespace; nil: none is loaded, or nothing was counted yet.
  public func book(of namespace: String) -> LedgerBook? { books[namespace] }

  /// A model's account until now; nil: the ledger is not loaded, or has counted nothing of it.
  public func summary(of model: String, in namespace: String, now: Int) -> LedgerSummary? {
    books[namespace]?.summary(of: model, now: now)
  }

  /// Whether a namespace's stored books have been looked for: what it says of its models is then all that is known.
  public func isOpen(_ namespace: String) -> Bool { isLoaded && !unloaded.contains(namespace) }

  /// Whether anything was counted of a model.
  public func knows(_ model: String, in namespace: String) -> Bool { books[namespace]?.models[model] != nil }

  /// An opaque text kept with a model; nil: none.
  public func note(for model: String, in namespace: String) -> String? { books[namespace]?.note(for: model) }

  /// Keeps a text of at most ``LedgerBook/longestNote`` bytes with a model, through restarts.
  /// - Returns: whether it was taken: the ledger is loaded and has counted something of the model.
  public mutating func setNote(_ note: String, for model: String, in namespace: String) -> Bool {
    guard books[namespace]?.note(for: model) ?? "" != note else { return books[namespace] != nil }
    guard books[namespace]?.setNote(note, for: model) ?? false else { return false }
    changes[namespace, default: 0] += 1
    return true
  }
}
