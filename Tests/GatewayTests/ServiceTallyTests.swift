import Decisions
import FleetProtocol
import FoundationEssentials
import HTTPWire
import Telemetry
import Testing

@testable import Gateway

@Suite struct ServiceTallyTests {
  private static func now(_ wall: Double) -> Now {
    Now(monotonic: .seconds(wall), wall: Date(timeIntervalSince1970: wall))
  }

  private func entry(_ pool: Pool? = .burst, tenant: UInt64 = 7, requests: Int = 1) -> ServiceTally.Entry {
    ServiceTally.Entry(pool: pool, tenant: tenant, counts: LedgerCounts(requests: requests, promptTokens: 10))
  }

  @Test("Counts are cumulative, by pool and tenant, in one order; the account begins at its first reader's clock")
  func cumulative() {
    var tally = ServiceTally()
    for item in [entry(), entry(), entry(.dedicated), entry(nil, tenant: 0), entry(.burst, tenant: 0xab)] {
      tally.add(item)
    }
    let (account, _) = tally.account(after: nil, busy: ["pod": 12], now: Self.now(50))
    #expect(account.sinceMilliseconds == 50_000 && account.busyMilliseconds == ["pod": 12])
    #expect(account.rows.map(\.pool) == ["burst", "burst", "dedicated", "none"])
    #expect(account.rows.map(\.tenant) == ["7", "ab", "7", "-"])
    #expect(account.rows.map(\.counts.requests) == [2, 1, 1, 1])
    #expect(account.rows[0].counts.promptTokens == 20)
    #expect(tally.account(after: nil, busy: [:], now: Self.now(99)).account.sinceMilliseconds == 50_000)
  }

  @Test("A reader who had a revision gets the rows that changed since, with all that they count")
  func revisions() {
    var tally = ServiceTally()
    tally.add(entry())
    tally.add(entry(tenant: 9))
    let first = tally.account(after: nil, busy: [:], now: Self.now(1))
    #expect(tally.account(after: first.revision, busy: [:], now: Self.now(2)).account.rows.isEmpty)
    tally.add(entry(tenant: 9))
    let second = tally.account(after: first.revision, busy: [:], now: Self.now(3))
    #expect(second.account.rows.map(\.tenant) == ["9"] && second.account.rows.map(\.counts.requests) == [2])
    // A reader that lost its place reads all.
    #expect(tally.account(after: nil, busy: [:], now: Self.now(4)).account.rows.count == 2)
    // What a merged account says is what a whole one says.
    var merged = first.account
    merged.merge(second.account)
    #expect(merged == tally.account(after: nil, busy: [:], now: Self.now(5)).account)
  }

  @Test("Tenants beyond the bound share one row, and none is lost")
  func bound() {
    var tally = ServiceTally()
    for number in 0..<200 { tally.add(entry(tenant: UInt64(number) * 2 + 1)) }
    tally.add(entry(tenant: 1))
    let rows = tally.account(after: nil, busy: [:], now: Self.now(1)).account.rows
    #expect(rows.count == ServiceAccount.mostTenants + 1)
    #expect(rows.reduce(0) { $0 + $1.counts.requests } == 201)
    #expect(rows.first { $0.tenant == "other" }?.counts.requests == 200 - ServiceAccount.mostTenants)
    #expect(rows.first { $0.tenant == "1" }?.counts.requests == 2)
  }

  private func call(_ change: (Call) -> Void = { _ in }) -> Call {
    let call = Call(
      record: RequestRecord(arrival: 1_000_000_000, arrivalUnix: 0), traits: [], framing: .none, limits: HTTPLimits())
    change(call)
    return call
  }

  @Test("A request that is over: its wait, its time at a replica, and who asked")
  func entries() {
    let now: Int64 = 9_000_000_000
    let served = ServiceTally.Entry(
      call {
        $0.record.pool = .burst
        $0.record.placement = .woke
        $0.record.queued = 2_500_000_000
        $0.sentAt = 3_500_000_000
        $0.tenant = 5
      }, now: now)
    #expect(served.pool == .burst && served.tenant == 5)
    #expect(served.counts == LedgerCounts(requests: 1, waits: 1, waitMilliseconds: 2500, servingMilliseconds: 5500))
    // It gave up while it waited: the wait lasted until now.
    let left = ServiceTally.Entry(call { $0.record.placement = .queued }, now: now)
    #expect(left.pool == nil && left.counts == LedgerCounts(requests: 1, waits: 1, waitMilliseconds: 8000))
    // Refused at once: it waited for nothing.
    #expect(ServiceTally.Entry(call(), now: now).counts == LedgerCounts(requests: 1))
    let direct = ServiceTally.Entry(
      call {
        $0.record.pool = .dedicated
        $0.sentAt = 8_999_000_000
      }, now: now)
    #expect(direct.counts == LedgerCounts(requests: 1, servingMilliseconds: 1))
  }

  @Test("A tenant's number is the same in every process, odd, and of no name 0")
  func names() throws {
    // SHA-256 of "pilotlight tenant", a zero byte and the name.
    #expect(TenantNames.number(of: "Bearer a") == 0x70cb_ba31_6e2a_69cb)
    #expect(TenantNames.number(of: "Bearer a") != TenantNames.number(of: "Bearer b"))
    #expect(TenantNames.number(of: "") & 1 == 1)
  }
}
