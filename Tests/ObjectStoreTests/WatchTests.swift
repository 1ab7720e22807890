import FoundationEssentials
import KubernetesAPI
import Testing

@testable import ObjectStore

@Suite("Watches")
struct WatchTests {
  private static let widgets = TestServer.widgets
  private static let merge = "application/merge-patch+json"

  private static func label(_ server: inout TestServer, _ name: String, _ value: String) {
    server.ask("PATCH", "\(widgets)/\(name)", #"{"metadata":{"labels":{"a":\#(value)}}}"#, type: merge)
  }

  @Test("Without a resource version, or with 0, everything is ADDED first", arguments: ["", "&resourceVersion=0"])
  func replay(query: String) throws {
    var server = TestServer()
    server.createWidget("w1")
    server.createWidget("w2")
    var watch = try server.watch("\(Self.widgets)?watch=true\(query)")
    #expect(summary(watch.openingLines(now: server.now)) == ["ADDED w1", "ADDED w2"])
    #expect(summary(watch.lines(from: server.store, now: server.now)) == [])
    server.ask("DELETE", "\(Self.widgets)/w1")
    #expect(summary(watch.lines(from: server.store, now: server.now)) == ["DELETED w1"])
  }

  @Test("From a resource version, exactly what came after it is told, once and in order")
  func resume() throws {
    var server = TestServer()
    server.createWidget("w1")
    let version = server.ask("GET", Self.widgets)["metadata", "resourceVersion"]?.stringValue ?? ""
    Self.label(&server, "w1", #""x""#)
    server.createWidget("w2")
    server.ask("POST", "/api/v1/namespaces/ns/configmaps", #"{"metadata":{"name":"other"}}"#)
    var watch = try server.watch("\(Self.widgets)?watch=1&resourceVersion=\(version)")
    #expect(watch.openingLines(now: server.now).isEmpty)
    #expect(summary(watch.lines(from: server.store, now: server.now)) == ["MODIFIED w1", "ADDED w2"])
    #expect(watch.resourceVersion == server.store.resourceVersion)
    #expect(summary(watch.lines(from: server.store, now: server.now)) == [])
  }

  @Test("An object that enters the selection is ADDED, one that leaves it DELETED")
  func selection() throws {
    var server = TestServer()
    server.createWidget("w1")
    var watch = try server.watch("\(Self.widgets)?watch=true&labelSelector=a%3Dx")
    #expect(summary(watch.openingLines(now: server.now)) == [])
    Self.label(&server, "w1", #""x""#)
    server.ask("PATCH", "\(Self.widgets)/w1", #"{"spec":{"size":2}}"#, type: Self.merge)
    Self.label(&server, "w1", #""y""#)
    server.ask("PATCH", "\(Self.widgets)/w1", #"{"spec":{"size":3}}"#, type: Self.merge)
    let lines = watch.lines(from: server.store, now: server.now)
    #expect(summary(lines) == ["ADDED w1", "MODIFIED w1", "DELETED w1"])
    let last = try JSONValue(parsing: lines.split(separator: 0x0A).last ?? [])
    #expect(last[path: ["object", "metadata", "labels", "a"]] == "x", "the last state that was selected")
  }

  @Test("A watch of one name selects by field; other namespaces are not seen")
  func fields() throws {
    var server = TestServer(namespaces: ["ns", "other"])
    var watch = try server.watch("\(Self.widgets)?watch=true&fieldSelector=metadata.name%3Dw1&resourceVersion=0")
    server.createWidget("w1")
    server.createWidget("w2")
    server.ask("POST", "/apis/demo.example.com/v1/namespaces/other/widgets", #"{"metadata":{"name":"w1"}}"#)
    #expect(summary(watch.lines(from: server.store, now: server.now)) == ["ADDED w1"])
  }

  @Test("A compacted resource version ends the watch with one ERROR event of code 410")
  func expired() throws {
    var server = TestServer()
    server.createWidget("w1")
    Self.label(&server, "w1", #""x""#)
    server.store.compact()
    var watch = try server.watch("\(Self.widgets)?watch=true&resourceVersion=1")
    let lines = watch.openingLines(now: server.now)
    let event = try JSONValue(parsing: lines)
    #expect(event["type"] == "ERROR")
    #expect(event[path: ["object", "code"]] == 410)
    #expect(event[path: ["object", "reason"]] == "Expired")
    #expect(event[path: ["object", "message"]] == "too old resource version: 1 (4)")
    #expect(watch.hasEnded)
    #expect(watch.lines(from: server.store, now: server.now).isEmpty)
  }

  @Test("A watcher that falls behind the bounded history is expired, one that keeps up is not")
  func boundedHistory() throws {
    var server = TestServer()
    server.store = ObjectStore(resources: [.widgets], historyLimit: 4)
    server.createWidget("w1")
    var slow = try server.watch("\(Self.widgets)?watch=true&resourceVersion=2")
    var quick = slow
    for index in 0..<20 {
      Self.label(&server, "w1", #""\#(index)""#)
      #expect(summary(quick.lines(from: server.store, now: server.now)) == ["MODIFIED w1"])
    }
    #expect(summary(slow.lines(from: server.store, now: server.now)) == ["ERROR Expired"])
  }

  @Test("A streamed list ends with a bookmark that says so; bookmarks come only to those who asked")
  func streamedList() throws {
    var server = TestServer()
    server.createWidget("w1")
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    var watch = try server.watch("\(Self.widgets)?\(query)&timeoutSeconds=300")
    let lines = watch.openingLines(now: server.now).split(separator: 0x0A)
    #expect(lines.count == 2)
    let bookmark = try JSONValue(parsing: lines[1])
    #expect(bookmark["type"] == "BOOKMARK")
    #expect(bookmark[path: ["object", "metadata", "annotations", "k8s.io/initial-events-end"]] == "true")
    #expect(bookmark[path: ["object", "metadata", "resourceVersion"]] == "3")
    #expect(watch.timeoutSeconds == 300)
    #expect(!watch.bookmarkLine(now: server.now).isEmpty)
    var plain = try server.watch("\(Self.widgets)?watch=true")
    #expect(plain.bookmarkLine(now: server.now).isEmpty)
    #expect(server.ask("GET", "\(Self.widgets)?watch=true&sendInitialEvents=true").status == 422)
  }

  @Test("A future resource version waits in silence")
  func future() throws {
    var server = TestServer()
    var watch = try server.watch("\(Self.widgets)?watch=true&resourceVersion=99999")
    server.createWidget("w1")
    #expect(watch.openingLines(now: server.now).isEmpty)
    #expect(watch.lines(from: server.store, now: server.now).isEmpty)
  }

  @Test("As a table, only the first event carries the columns")
  func tables() throws {
    var server = TestServer()
    server.createWidget("w1", spec: #"{"replicas":2}"#)
    server.createWidget("w2")
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    var watch = try server.watch("\(Self.widgets)?watch=true&resourceVersion=0", accept: accept)
    let lines = try watch.openingLines(now: server.now).split(separator: 0x0A).map { try JSONValue(parsing: $0) }
    #expect(lines[0][path: ["object", "columnDefinitions"]]?.arrayValue?.count == 5)
    #expect(lines[0][path: ["object", "rows"]]?[0]?["cells"] == ["w1", 2, .null, .null, "0s"])
    #expect(lines[1][path: ["object", "columnDefinitions"]] == .null)
    #expect(lines[1][path: ["object", "kind"]] == "Table")
  }
}
