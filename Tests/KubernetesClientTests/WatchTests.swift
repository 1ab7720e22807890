import KubernetesAPI
import Telemetry
import Testing

@testable import KubernetesClient

@Suite struct WatchTests {
  private static let text =
    [
      #"{"type":"ADDED","object":{"metadata":{"name":"a"}}}"#,
      #"{"type":"MODIFIED","object":{"metadata":{"name":"b"}}}"#,
      "", #"{"type":"DELETED","object":{"metadata":{"name":"c"}}}"#,
      #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#,
      #"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#,
      #"{"type":"ADDED","object":{"metadata":{"name":"never"}}}"#,
    ].joined(separator: "\n") + "\n"

  private func words(_ events: WatchEvents) async throws -> [String] {
    var words: [String] = []
    for try await event in events {
      switch event {
      case .added(let object): words.append("+\(object.metadata.name)")
      case .modified(let object): words.append("~\(object.metadata.name)")
      case .deleted(let object): words.append("-\(object.metadata.name)")
      case .bookmark(let version): words.append("=\(version)")
      case .error(let status): words.append("!\(status.code)")
      }
    }
    return words
  }

  @Test("events are read from pieces of any size, up to the first error", arguments: [1, 7, 64, 10_000])
  func events(size: Int) async throws {
    var pieces: [String] = []
    var rest = Self.text[...]
    while !rest.isEmpty {
      pieces.append(String(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    let transport = ScriptedTransport(KubernetesResponse(status: 200), pieces: pieces)
    let client = KubernetesClient(transport: transport, clock: ManualClock())
    let events = client.watch(
      ObjectSelection(.pods, namespace: "n", labelSelector: "a=b"), resourceVersion: "4", timeout: .seconds(321),
      idleTimeout: .seconds(9))
    #expect(try await words(events) == ["+a", "~b", "-c", "=9", "!410"])
    let request = try #require(transport.requests.first)
    let query = "labelSelector=a%3Db&allowWatchBookmarks=true&resourceVersion=4&timeoutSeconds=321&watch=true"
    #expect(request.target == "/api/v1/namespaces/n/pods?\(query)")
    #expect(request.timeout == nil && request.idleTimeout == .seconds(9))
  }

  @Test("a refused watch throws the server's status")
  func refused() async {
    let transport = ScriptedTransport(
      .json(#"{"kind":"Status","code":403,"reason":"Forbidden","message":"no"}"#, status: 403))
    let client = KubernetesClient(transport: transport, clock: ManualClock())
    let error = await #expect(throws: KubernetesStatus.self) {
      try await words(client.watch(.pods, resourceVersion: ""))
    }
    #expect(error?.isForbidden == true && error?.message == "no")
  }

  @Test(
    "a line that is no event ends the watch with an error",
    arguments: ["{\n", "{}\n", #"{"type":"X","object":{}}"# + "\n"])
  func malformed(line: String) async {
    let transport = ScriptedTransport(KubernetesResponse(status: 200), pieces: [line])
    let client = KubernetesClient(transport: transport, clock: ManualClock())
    let error = await #expect(throws: TransportError.self) {
      try await words(client.watch(.pods, resourceVersion: "1"))
    }
    #expect(error?.code == .malformed)
  }

  @Test("a line without an end is bounded")
  func bounded() throws {
    var lines = LineSplitter(limit: 10)
    lines.append(Array("abc\r\n0123456789".utf8))
    #expect(try lines.next().map { String(decoding: $0, as: UTF8.self) } == "abc")
    #expect(try lines.next() == nil)
    lines.append(Array("x".utf8))
    #expect(throws: TransportError.self) { try lines.next() }
  }
}
