/// What one gateway has counted of one service, cumulative since ``sinceMilliseconds``: what the ledger is made of.
///
/// A sender may leave out rows and pods that have not changed since what it sent last to the same reader.
public struct ServiceAccount: Codable, Hashable, Sendable {
  /// Tenants that a gateway tells apart per service; those that come after share ``otherTenant``.
  public static let mostTenants = 64
  /// Stands for all tenants beyond the bound.
  public static let otherTenant = "other"
  /// Stands for callers who say nothing of who they are.
  public static let noTenant = "-"

  /// Wall time when this account began at zero, in milliseconds since 1970: another one, another account.
  public var sinceMilliseconds: Int
  public var rows: [Row]
  /// Time with a request in flight, in milliseconds, by pod UID; pods that have gone stay for a while.
  public var busyMilliseconds: [String: Int]

  /// Requests of one tenant that one pool answered (`none`: the gateway itself).
  public struct Row: Codable, Hashable, Sendable {
    public var pool: String
    public var tenant: String
    public var counts: LedgerCounts
    public init(pool: String, tenant: String, counts: LedgerCounts) {
      self.pool = pool
      self.tenant = tenant
      self.counts = counts
    }
  }

  public init(sinceMilliseconds: Int, rows: [Row] = [], busyMilliseconds: [String: Int] = [:]) {
    self.sinceMilliseconds = sinceMilliseconds
    self.rows = rows
    self.busyMilliseconds = busyMilliseconds
  }

  /// Whether no count is below zero.
  public var isSane: Bool {
    sinceMilliseconds >= 0 && rows.allSatisfy { $0.counts.isSane } && busyMilliseconds.values.allSatisfy { $0 >= 0 }
  }

  /// This account with those rows and pods of another of its kind that say more: no count falls, and none is left out.
  func raised(to other: ServiceAccount) -> ServiceAccount {
    guard rows != other.rows || busyMilliseconds != other.busyMilliseconds else { return self }
    var raised = self
    let places = Dictionary(rows.enumerated().map { (Place($1), $0) }, uniquingKeysWith: { $1 })
    for row in other.rows {
      if let index = places[Place(row)] {
        if (row.counts - rows[index].counts).isSane { raised.rows[index] = row }
      } else {
        raised.rows.append(row)
      }
    }
    raised.busyMilliseconds.merge(other.busyMilliseconds) { max($0, $1) }
    return raised
  }

  private struct Place: Hashable {
    var pool: String
    var tenant: String
    init(_ row: Row) { (pool, tenant) = (row.pool, row.tenant) }
  }

  /// Takes what was sent later: rows and pods that it leaves out stand still.
  public mutating func merge(_ later: ServiceAccount) {
    guard later.sinceMilliseconds == sinceMilliseconds else {
      self = later
      return
    }
    for row in later.rows {
      if let index = rows.firstIndex(where: { $0.pool == row.pool && $0.tenant == row.tenant }) {
        rows[index] = row
      } else {
        rows.append(row)
      }
    }
    busyMilliseconds.merge(later.busyMilliseconds) { $1 }
  }
}
