import Testing

@testable import Gateway

@Suite("What all services together may hold")
struct HoldBudgetTests {
  @Test(
    "A memory limit bounds it: a quarter for bodies, a quarter for requests at 16 KiB each",
    arguments: [(128 << 20, 2048, 32 << 20), (512 << 20, 8192, 128 << 20), (64 << 30, 20_000, 16 << 30)])
  func fit(limit: Int, requests: Int, bytes: Int) {
    var configuration = GatewayConfiguration(identity: "gateway")
    configuration.fitHold(intoMemory: limit)
    #expect(configuration.holdBudgetRequests == requests)
    #expect(configuration.holdBudgetBytes == bytes)
  }

  @Test("A refusal leaves the account as it was")
  func refusal() {
    let budget = HoldBudget(maxRequests: 1, maxBytes: 10)
    #expect(budget.takePlace() && !budget.takePlace())
    #expect(budget.take(bytes: 6) && !budget.take(bytes: 5) && budget.take(bytes: 4))
    #expect(budget.heldRequests == 1 && budget.heldBytes == 10)
    budget.returnPlace()
    budget.return(bytes: 10)
    #expect(budget.heldRequests == 0 && budget.heldBytes == 0)
  }
}
