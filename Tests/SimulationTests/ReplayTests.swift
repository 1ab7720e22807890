import Decisions
import FleetProtocol
import Testing

@testable import Simulation

struct ReplayTests {
  private func replay(_ seconds: [Double], sleepAfter: Duration = .seconds(60), load: Int = 10, service: Int = 1)
    -> ReplayReport
  {
    let policy = ScalingPolicy(
      target: 1, stableWindow: .seconds(6), panicWindow: .seconds(2), scaleDownDelay: .zero, sleepAfter: sleepAfter,
      maxBurstReplicas: 4)
    let requests = seconds.map { TraceRequest(model: "m", time: .milliseconds(Int($0 * 1000))) }
    var replay = Replay(
      Replay.Configuration(
        policy: policy, loadTime: .seconds(load), serviceTime: .seconds(service), maxConcurrency: 1),
      start: requests.first?.time ?? .zero)
    for request in requests { replay.add(request) }
    return replay.finish()
  }

  @Test("a lone request pays one load time, and the replica sleeps after the window")
  func loneRequest() {
    let report = replay([100])
    #expect(report.coldStarts == 1)
    #expect(report.waits == [.seconds(10)])
    // Loading, serving, the idle window, and at most two ticks of a second.
    #expect((71.0...73.0).contains(report.usage.burstSeconds))
  }

  @Test(
    "a gap shorter than the window costs no second cold start, a longer one does", arguments: [(40.0, 1), (200.0, 2)])
  func gaps(gap: Double, coldStarts: Int) {
    #expect(replay([0, gap]).coldStarts == coldStarts)
  }

  @Test("a longer window never wakes more often and never uses less")
  func windowsTrade() {
    let arrivals = (0..<40).map { Double($0 * $0 % 97) * 7 }.sorted()
    let windows = [5, 30, 120, 600].map { replay(arrivals, sleepAfter: .seconds($0)) }
    for (short, long) in zip(windows, windows.dropFirst()) {
      #expect(long.coldStarts <= short.coldStarts)
      #expect(long.usage.burstSeconds >= short.usage.burstSeconds)
    }
    #expect(windows.allSatisfy { $0.waits.count == 40 })
  }

  @Test("more load than one replica carries adds replicas, up to the ceiling")
  func scalesOut() {
    let report = replay((0..<200).map { Double($0) * 0.1 }, load: 1)
    #expect(report.usage.peakBurst == 4)
    #expect(report.waits.count == 200)
  }
}

struct TraceReaderTests {
  @Test("rows are read by the header's names")
  func rows() throws {
    var reader = TraceReader()
    #expect(try reader.read("time,model,output_tokens,duration") == nil)
    #expect(
      try reader.read("1.5,a,10,2\r") == TraceRequest(model: "a", time: .milliseconds(1500), duration: .seconds(2)))
    #expect(try reader.read("2,b,10,") == TraceRequest(model: "b", time: .seconds(2)))
  }

  @Test("a gateway's request log is a trace, in the order in which requests ended")
  func requestLog() throws {
    var slow = RequestLogRow(timeUnix: 1000.5, status: 200, durationMilliseconds: 2500)
    slow.namespace = "team"
    slow.name = "llm"
    slow.pool = "burst"
    slow.queuedMilliseconds = 500
    var refused = slow
    refused.timeUnix = 999
    refused.status = 429
    refused.pool = nil
    var reader = TraceReader()
    #expect(reader.isOrdered)
    var requests: [TraceRequest?] = []
    for row in [slow, refused, RequestLogRow(timeUnix: 1, status: 404, durationMilliseconds: 0)] {
      var line: [UInt8] = []
      row.appendLine(to: &line)
      requests.append(try reader.read(String(decoding: line, as: UTF8.self)))
    }
    #expect(
      requests == [
        TraceRequest(model: "team/llm", time: .milliseconds(1_000_500), duration: .seconds(2)),
        TraceRequest(model: "team/llm", time: .seconds(999)), nil,
      ])
    #expect(!reader.isOrdered)
  }

  @Test(
    "bad rows are named",
    arguments: [
      (
        ["time,tokens"],
        "line 1: the first line must name the columns model and time, such as model,time,prompt_tokens,output_tokens"
      ),
      (["model,time", "a,soon"], "line 2: time 'soon' is not a number of seconds"),
      (["model,time", "a,2", "a,1"], "line 3: time 1 is before the row above; rows must be in order of time"),
      (["model,time", ",2"], "line 2: column model is missing"),
      (["model,time", "a,1e10"], "line 2: time '10000000000.0' is not a number of seconds"),
      (
        [#"{"timeUnix":5,"name":"a","status":200,"durationMilliseconds":7,"weight":100}"#],
        "line 1: this row stands for 100 requests: a sampled log cannot be replayed, only one that --request-log wrote"
      ),
    ])
  func problems(lines: [String], message: String) {
    var found: String?
    var reader = TraceReader()
    for line in lines {
      do { _ = try reader.read(line) } catch { found = "\(error)" }
    }
    #expect(found == message)
  }
}
