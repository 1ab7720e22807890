/// What a run counts over all models: waits, first tokens, and the course of replicas and held requests.
struct RequestTally: Sendable {
  var waits = LogHistogram()
  var firstTokens = LogHistogram()
  var timeline: Timeline?
  private let service: ServiceTimes
  private let objective: Int64

  init(_ settings: SimulationSettings) {
    service = settings.service
    objective = settings.objective?.firstTokenMicroseconds ?? .max
  }

  /// Counts a request that a replica starts `wait` after its arrival.
  @inline(__always)
  mutating func note(_ request: PendingRequest, wait: Int64, in account: inout ModelAccount) {
    let firstToken = service.firstToken(promptTokens: request.promptTokens, duration: request.duration)
    note(wait: wait, firstToken: wait + firstToken, in: &account)
  }

  @inline(__always)
  mutating func note(wait: Int64, firstToken: Int64, in account: inout ModelAccount) {
    waits.add(wait)
    firstTokens.add(firstToken)
    if wait > 0 {
      account.waiting += 1
      account.waited += wait
    }
    if firstToken <= objective { account.withinObjective += 1 }
  }
}

extension ModelAccount {
  /// Counts an arrival and its tokens.
  @inline(__always)
  mutating func noteArrival(_ request: PendingRequest, _ service: ServiceTimes) {
    requests += 1
    promptTokens += request.promptTokens < 0 ? Int64(service.defaultPromptTokens) : Int64(request.promptTokens)
    outputTokens += request.outputTokens < 0 ? Int64(service.defaultOutputTokens) : Int64(request.outputTokens)
  }
}
