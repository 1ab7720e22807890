extension LedgerBook {
  /// How a book is made smaller where it is too large to be stored, in this order. Sums never change.
  public enum Folding: Int, CaseIterable, Sendable {
    /// Tenants of all hours but the present one become one.
    case earlierTenants
    /// Hours before the last two are summed into the first hour of the day.
    case earlierHours
    case allTenants
    /// How far gateways are counted is kept by pool, not by tenant.
    case cursorTenants
    case allHours
    /// Notes are left out; this and the next one only once ``mostParts`` are not enough.
    case notes
    /// How far gateways are counted is left out: a new leader begins with what they say then.
    case cursors

    /// Something is lost.
    public var isLossy: Bool { self == .notes || self == .cursors }
  }

  /// The book, smaller. Its rows may be kept so; notes and cursors are only left out of what is stored.
  public func folded(_ step: Folding) -> LedgerBook {
    var book = self
    book.isFolded = true
    let (first, present) = (day * Self.hoursPerDay, Self.hour(of: to))
    switch step {
    case .earlierTenants: book.foldUsage { $0.hour < present ? $0.withoutTenant : $0 }
    case .allTenants: book.foldUsage { $0.withoutTenant }
    case .earlierHours: book.foldHours { $0 < present - 1 ? min($0, first) : $0 }
    case .allHours: book.foldHours { min($0, first) }
    case .cursorTenants:
      for (name, cursor) in gateways {
        book.gateways[name]?.isFolded = true
        book.gateways[name]?.services = cursor.services.mapValues { account in
          var account = account
          account.rows = Self.byPool(account.rows).sorted { $0.key < $1.key }.map {
            ServiceAccount.Row(pool: $0.key, tenant: ServiceAccount.otherTenant, counts: $0.value)
          }
          return account
        }
      }
    case .notes: for name in models.keys { book.models[name]?.note = "" }
    case .cursors:
      book.gateways = [:]
      book.lostCursors = true
    }
    return book
  }

  private mutating func foldUsage(_ fold: (UsageKey) -> UsageKey) {
    for (name, model) in models {
      models[name]?.usage = model.usage.reduce(into: [:]) { $0[fold($1.key), default: LedgerCounts()] += $1.value }
    }
  }

  private mutating func foldHours(_ fold: (Int) -> Int) {
    foldUsage { UsageKey(hour: fold($0.hour), pool: $0.pool, tenant: $0.tenant) }
    for (name, model) in models {
      models[name]?.replicas = model.replicas.reduce(into: [:]) { sums, row in
        let key = ReplicaKey(hour: fold(row.key.hour), pool: row.key.pool, rate: row.key.rate)
        sums[key, default: ReplicaTime()] += row.value
      }
      models[name]?.demand = model.demand.reduce(into: [:]) {
        $0[fold($1.key), default: BaselineDemand()].merge($1.value)
      }
    }
  }
}

extension LedgerBook.UsageKey {
  fileprivate var withoutTenant: Self { Self(hour: hour, pool: pool, tenant: ServiceAccount.otherTenant) }
}
