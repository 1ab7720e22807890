/// What the course of a lone replica is written to.
protocol CourseNotes: Sendable {
  /// A request starts `wait` after its arrival.
  mutating func note(_ request: PendingRequest, wait: Int64, in account: inout ModelAccount)
  /// One was held, for a chart.
  mutating func addHeld(from: Int64, to: Int64)
  /// A replica was there, for a chart.
  mutating func addReplica(from: Int64, to: Int64)
}

/// What a run counts over all models: waits, first tokens, and the course of replicas and held requests.
struct RequestTally: CourseNotes {
  var waits = LogHistogram()
  var firstTokens = LogHistogram()
  var timeline: Timeline?
  let service: ServiceTimes
  let objective: Int64

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
    account.noteStart(wait: wait, firstToken: firstToken, objective: objective)
  }

  @inline(__always)
  mutating func addHeld(from: Int64, to: Int64) { timeline?.addHeld(1, from: from, to: to) }

  @inline(__always)
  mutating func addReplica(from: Int64, to: Int64) { timeline?.addReplicas(1, from: from, to: to) }
}

extension ModelAccount {
  /// Counts a request that starts.
  @inline(__always)
  mutating func noteStart(wait: Int64, firstToken: Int64, objective: Int64) {
    if wait > 0 {
      waiting += 1
      waited += wait
    }
    if firstToken <= objective { withinObjective += 1 }
  }

  /// Counts an arrival and its tokens.
  @inline(__always)
  mutating func noteArrival(_ request: PendingRequest, _ service: ServiceTimes) {
    requests += 1
    promptTokens += request.promptTokens < 0 ? Int64(service.defaultPromptTokens) : Int64(request.promptTokens)
    outputTokens += request.outputTokens < 0 ? Int64(service.defaultOutputTokens) : Int64(request.outputTokens)
  }
}
