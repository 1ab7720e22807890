import Decisions
import FleetProtocol
import Telemetry

/// Counts one service's requests by pool and tenant, for the ledger. A value without clock.
struct ServiceTally: Sendable {
  private struct Key: Hashable {
    var pool: Pool?
    var tenant: UInt64
  }

  private struct Row {
    var counts = LedgerCounts()
    /// The ``revision`` of its last change.
    var revision = 0
  }

  /// One request that is over.
  struct Entry: Sendable {
    /// Nil: the gateway itself answered.
    var pool: Pool?
    /// 0: the caller said nothing of who it is.
    var tenant: UInt64
    var counts: LedgerCounts
  }

  /// Stands for the tenants beyond the bound; no hash is even.
  private static let others: UInt64 = 2
  private var rows: [Key: Row] = [:]
  private var tenants: Set<UInt64> = []
  /// Wall time of its beginning in milliseconds since 1970, as its first reader's clock says.
  private var since: Int?
  private var revision = 0

  mutating func add(_ entry: Entry) {
    var tenant = entry.tenant
    if !tenants.contains(tenant) {
      if tenants.count < ServiceAccount.mostTenants { tenants.insert(tenant) } else { tenant = Self.others }
    }
    revision += 1
    let key = Key(pool: entry.pool, tenant: tenant)
    rows[key, default: Row()].counts += entry.counts
    rows[key]?.revision = revision
  }

  /// Rows that changed after a revision; nil: all.
  mutating func account(after sent: Int?, busy: [String: Int], now: Now) -> (account: ServiceAccount, revision: Int) {
    let since = self.since ?? Int(now.wall.timeIntervalSince1970 * 1000)
    self.since = since
    let changed = rows.filter { $0.value.revision > sent ?? -1 }
    let list = changed.map { key, row in
      ServiceAccount.Row(pool: key.pool?.rawValue ?? "none", tenant: Self.name(key.tenant), counts: row.counts)
    }
    let sorted = list.sorted { ($0.pool, $0.tenant) < ($1.pool, $1.tenant) }
    return (ServiceAccount(sinceMilliseconds: since, rows: sorted, busyMilliseconds: busy), revision)
  }

  private static func name(_ tenant: UInt64) -> String {
    switch tenant {
    case 0: ServiceAccount.noTenant
    case others: ServiceAccount.otherTenant
    default: String(tenant, radix: 16)
    }
  }
}

extension ServiceTally.Entry {
  /// `now` is in nanoseconds of the loop's clock.
  init(_ call: Call, now: Int64) {
    let record = call.record
    var counts = LedgerCounts(requests: 1)
    if let tokens = call.meter?.tokens {
      counts.promptTokens = max(0, tokens.prompt ?? 0)
      counts.outputTokens = max(0, tokens.output ?? 0)
    }
    // One that was refused after a wait has no placement that would have ended the wait.
    let gaveUp = record.pool == nil && (record.placement == .queued || record.placement == .woke)
    let waited = record.queued > 0 ? record.queued : gaveUp ? now - record.arrival : 0
    if waited > 0 {
      counts.waits = 1
      counts.waitMilliseconds = Int(waited / 1_000_000)
    }
    if call.sentAt < now { counts.servingMilliseconds = Int((now - call.sentAt) / 1_000_000) }
    self.init(pool: record.pool, tenant: call.tenant, counts: counts)
  }
}
