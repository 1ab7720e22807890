import CurlTransport
import EventLoop
import KubernetesAPI
import Telemetry
import Testing

@testable import Sandbox

@Suite("The model stub", .timeLimit(.minutes(1)))
struct ModelStubTests {
  /// A stub on a free port without waits, and a client.
  struct Running {
    let url: String
    let driver: CurlDriver

    func post(_ path: String, _ body: String) async throws -> (status: Int, text: String) {
      let request = CurlRequest(method: "POST", url: url + path, body: Array(body.utf8), timeout: .seconds(20))
      let (head, bytes) = try await driver.send(request)
      return (head.status, String(decoding: bytes, as: UTF8.self))
    }

    func get(_ path: String) async throws -> (status: Int, text: String) {
      let (head, bytes) = try await driver.send(CurlRequest(url: url + path, timeout: .seconds(20)))
      return (head.status, String(decoding: bytes, as: UTF8.self))
    }
  }

  private func run(
    _ change: (inout ModelStubConfiguration) -> Void = { _ in }, _ body: (Running) async throws -> Void
  ) async throws {
    var configuration = ModelStubConfiguration()
    configuration.listen = "127.0.0.1:0"
    configuration.timeToFirstToken = .zero
    configuration.timeBetweenTokens = .zero
    change(&configuration)
    let loop = try EventLoop(name: "stub-test")
    loop.start()
    let stub = ModelStub(configuration: configuration, loop: loop, log: .discarding)
    let address = try await Task(executorPreference: loop) { try await stub.start() }.value
    let driver = try CurlDriver()
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(Running(url: "http://\(address)", driver: driver)))
    } catch { result = .failure(error) }
    driver.shutDown()
    await stub.shutDown(graceful: .zero)
    loop.stop()
    try result.get()
  }

  private static let chat = #"{"model":"m","messages":[{"role":"user","content":"hello"}]"#

  @Test("a chat completion has as many tokens as asked for, and the same prompt gives the same answer")
  func completion() async throws {
    try await run { stub in
      let first = try await stub.post("/v1/chat/completions", Self.chat + #","max_tokens":3}"#)
      #expect(first.status == 200)
      let json = try JSONValue(parsing: Array(first.text.utf8))
      #expect(json["object"] == "chat.completion")
      #expect(json["usage"]?["completion_tokens"]?.intValue == 3)
      #expect(json["choices"]?[0]?["finish_reason"] == "length")
      let second = try await stub.post("/v1/chat/completions", Self.chat + #","max_tokens":3}"#)
      let again = try JSONValue(parsing: Array(second.text.utf8))
      #expect(again["choices"]?[0]?["message"] == json["choices"]?[0]?["message"])
      let metrics = try await stub.get("/metrics").text
      #expect(metrics.contains(#"vllm:generation_tokens_total{model_name="model-stub"} 6"#))
      #expect(metrics.contains("vllm:num_requests_waiting"))
      #expect(metrics.contains("vllm:time_to_first_token_seconds_bucket"))
      #expect(try await stub.get("/health").status == 200)
      #expect(try await stub.get("/v1/models").text.contains(#""id":"model-stub""#))
    }
  }

  @Test("a stream sends a chunk per token, the usage where it is asked for, and [DONE]")
  func stream() async throws {
    try await run { stub in
      let body = Self.chat + #","max_tokens":4,"stream":true,"stream_options":{"include_usage":true}}"#
      let answer = try await stub.post("/v1/chat/completions", body)
      let events = answer.text.split(separator: "\n").map { String($0.dropFirst(6)) }
      #expect(events.count == 7)
      #expect(events.last == "[DONE]")
      let usage = try JSONValue(parsing: Array(events[5].utf8))
      #expect(usage["usage"]?["total_tokens"]?.intValue == 6)
      #expect(usage["choices"] == [])
      let finish = try JSONValue(parsing: Array(events[4].utf8))
      #expect(finish["choices"]?[0]?["finish_reason"] == "length")
    }
  }

  @Test(
    "what a request gets wrong is said in OpenAI's shape",
    arguments: [
      ("/v1/chat/completions", "{", 400, "The request body is no valid JSON"),
      ("/v1/chat/completions", "[]", 400, "must be a JSON object"),
      ("/v1/chat/completions", "{}", 400, "Missing required parameter: 'model'"),
      ("/v1/chat/completions", #"{"model":"x","messages":[]}"#, 404, "The model `x` does not exist"),
      ("/v1/chat/completions", #"{"model":"m"}"#, 400, "Missing required parameter: 'messages'"),
      ("/v1/chat/completions", #"{"model":"m","messages":[]}"#, 400, "empty array"),
      ("/v1/chat/completions", #"{"model":"m","messages":[{"role":"boss"}]}"#, 400, "Invalid value: 'boss'"),
      ("/v1/completions", #"{"model":"m","prompt":"p","max_tokens":0}"#, 400, "below minimum value"),
      ("/v1/completions", #"{"model":"m","prompt":"p","stream":"yes"}"#, 400, "expected a boolean"),
      ("/v1/embeddings", #"{"model":"m","input":[]}"#, 400, "Missing required parameter: 'input'"),
      ("/v1/images", "{}", 404, "Unknown request URL"),
    ])
  func errors(path: String, body: String, status: Int, message: String) async throws {
    try await run {
      $0.model = "m"
    } _: { stub in
      let answer = try await stub.post(path, body)
      #expect(answer.status == status)
      let json = try JSONValue(parsing: Array(answer.text.utf8))
      #expect(json["error"]?["message"]?.stringValue?.contains(message) == true)
      #expect(json["error"]?["type"] == "invalid_request_error")
    }
  }

  @Test("embeddings have length one and depend on the text alone")
  func embeddings() async throws {
    try await run {
      $0.dimensions = 8
    } _: { stub in
      let answer = try await stub.post("/v1/embeddings", #"{"model":"m","input":["a","b","a"]}"#)
      let data = try JSONValue(parsing: Array(answer.text.utf8))["data"]?.arrayValue ?? []
      let vectors = data.map { ($0["embedding"]?.arrayValue ?? []).compactMap(\.doubleValue) }
      #expect(vectors.map(\.count) == [8, 8, 8])
      #expect(vectors[0] == vectors[2] && vectors[0] != vectors[1])
      #expect(abs(vectors[1].reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
      let packed = try await stub.post("/v1/embeddings", #"{"model":"m","input":"a","encoding_format":"base64"}"#)
      let text = try JSONValue(parsing: Array(packed.text.utf8))["data"]?[0]?["embedding"]?.stringValue
      #expect(text?.count == 44)
    }
  }

  @Test("which requests fail follows from the seed")
  func failures() async throws {
    var outcomes: [[Int]] = []
    for _ in 0..<2 {
      try await run {
        $0.failRate = 0.5
        $0.seed = 7
      } _: { stub in
        var statuses: [Int] = []
        for _ in 0..<12 { statuses.append(try await stub.post("/v1/chat/completions", Self.chat + "}").status) }
        outcomes.append(statuses)
      }
    }
    #expect(outcomes[0] == outcomes[1])
    #expect(Set(outcomes[0]) == [200, 500])
  }

  @Test(
    "beyond the concurrency limit requests wait their turn, or are refused",
    arguments: ModelStubConfiguration.Overload.allCases)
  func overload(overload: ModelStubConfiguration.Overload) async throws {
    try await run {
      $0.maxConcurrency = 1
      $0.timeToFirstToken = .milliseconds(100)
      $0.overload = overload
    } _: { stub in
      let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 {
          group.addTask { try await stub.post("/v1/chat/completions", Self.chat + "}").status }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(statuses.contains(200))
      #expect(statuses.allSatisfy { $0 == 200 } == (overload == .queue))
      if overload == .reject { #expect(statuses.contains(429)) }
    }
  }

  @Test("a place in the queue can be given up, and slots go to the oldest")
  func slots() {
    let slots = RequestSlots(limit: 1)
    var started: [Int] = []
    #expect(slots.take())
    let places = (0..<3).map { number in slots.wait { started.append(number) } }
    #expect(slots.leave(places[0]))
    #expect(!slots.leave(places[0]))
    slots.release()
    slots.release()
    #expect(started == [1, 2])
    #expect(slots.running == 1)
    slots.release()
    #expect(slots.running == 0)
  }
}
