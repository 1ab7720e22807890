extension LedgerBook {
  /// Tenants that are told apart per model and hour; those that come after share ``ServiceAccount/otherTenant``.
  public static let mostTenants = 32

  /// Takes all that a gateway has counted of a model. What was counted before is known by gateway, boot and account.
  public mutating func record(
    _ account: ServiceAccount, of model: String, from gateway: String, bootID: String, now: Int
  ) {
    to = max(to, now)
    // Taken out while it changes: it has an account of each model, and none of them is to be copied.
    var cursor = gateways.removeValue(forKey: gateway) ?? GatewayCursor(bootID: "", heard: now)
    let isKnown = cursor.bootID == bootID
    // A gateway that is older than all cursors and has none was silent for too long: some leader has counted it.
    let isStale =
      !isKnown
      && (now - account.sinceMilliseconds >= Self.cursorLife
        || (lostCursors && account.sinceMilliseconds < resumedAt ?? from))
    if !isKnown { cursor = GatewayCursor(bootID: bootID, heard: now) }
    defer { gateways[gateway] = cursor }
    cursor.heard = now
    let before = cursor.services[model]
    let base = before?.sinceMilliseconds == account.sinceMilliseconds ? before : nil
    let wasFolded = cursor.isFolded && base != nil && !cursor.unfolded.contains(model)
    if wasFolded, let base, !Self.isNoLess(account, than: base) {
      // From before what is counted, and it cannot be told which of its tenants are.
      return
    }
    // What was heard before what is counted (by another leader) must not take the cursor back: it would be counted again.
    cursor.services[model] = wasFolded ? account : base?.raised(to: account) ?? account
    if cursor.isFolded { cursor.unfolded.insert(model) }
    guard !isStale else { return }
    if models[model] == nil { models[model] = Model(since: now) }
    if wasFolded, let base {
      addFolded(account, base, to: model, now: now)
    } else {
      for row in account.rows {
        let last = base?.rows.first { $0.pool == row.pool && $0.tenant == row.tenant }?.counts ?? LedgerCounts()
        add(row.counts - last, pool: row.pool, tenant: row.tenant, to: model, now: now)
      }
    }
    for (uid, busy) in account.busyMilliseconds.sorted(by: { $0.key < $1.key }) {
      let last = base?.busyMilliseconds[uid]
      guard pods[uid] != nil else {
        // The pod has not been seen here yet, or not any more: what is new stays new.
        cursor.services[model]?.busyMilliseconds[uid] = last
        continue
      }
      let more = busy - (last ?? 0)
      if more > 0 { pods[uid]?.pending[gateway, default: 0] += more }
    }
  }

  private static func isNoLess(_ account: ServiceAccount, than base: ServiceAccount) -> Bool {
    let totals = byPool(account.rows)
    return byPool(base.rows).allSatisfy { ((totals[$0.key] ?? LedgerCounts()) - $0.value).isSane }
  }

  private mutating func addFolded(_ account: ServiceAccount, _ base: ServiceAccount, to model: String, now: Int) {
    let (totals, known) = (Self.byPool(account.rows), Self.byPool(base.rows))
    for (pool, counts) in totals.sorted(by: { $0.key < $1.key }) {
      let last = known[pool] ?? LedgerCounts()
      add(counts - last, pool: pool, tenant: ServiceAccount.otherTenant, to: model, now: now)
    }
  }

  static func byPool(_ rows: [ServiceAccount.Row]) -> [String: LedgerCounts] {
    rows.reduce(into: [:]) { $0[$1.pool, default: LedgerCounts()] += $1.counts }
  }

  private mutating func add(_ counts: LedgerCounts, pool: String, tenant: String, to model: String, now: Int) {
    // Counters that fall without a new account are not believed.
    guard !counts.isZero, counts.isSane else { return }
    let hour = Self.hour(of: now)
    var key = UsageKey(hour: hour, pool: pool, tenant: tenant)
    if models[model]?.usage[key] == nil {
      let tenants = Set(models[model]?.usage.keys.lazy.filter { $0.hour == hour }.map(\.tenant) ?? [])
      if tenants.count >= Self.mostTenants, !tenants.contains(tenant) { key.tenant = ServiceAccount.otherTenant }
    }
    models[model]?.usage[key, default: LedgerCounts()] += counts
    models[model]?.totalCounts += counts
  }
}
