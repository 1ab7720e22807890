import FoundationEssentials
import KubernetesAPI
import Testing

@testable import ObjectStore

@Suite("Deletion")
struct DeletionTests {
  private static let widgets = TestServer.widgets
  private static let merge = "application/merge-patch+json"

  private static func owner(_ answer: TestServer.Answer, blocks: Bool = true) -> String {
    let reference: JSONValue = [
      [
        "apiVersion": "demo.example.com/v1", "kind": "Widget", "name": answer["metadata", "name"] ?? "",
        "uid": answer["metadata", "uid"] ?? "", "blockOwnerDeletion": .bool(blocks),
      ]
    ]
    return #""ownerReferences":\#(reference.text)"#
  }

  @Test("Without finalizers an object goes at once, and a Status says which")
  func atOnce() {
    var server = TestServer()
    let uid = server.createWidget("w1")["metadata", "uid"] ?? ""
    let answer = server.ask("DELETE", "\(Self.widgets)/w1", #"{"propagationPolicy":"Background"}"#)
    #expect(answer.status == 200)
    #expect(
      answer.json == [
        "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
        "details": ["name": "w1", "group": "demo.example.com", "kind": "widgets", "uid": uid],
      ])
    #expect(server.ask("GET", "\(Self.widgets)/w1").status == 404)
  }

  @Test("A finalizer keeps the object, marked; it goes when the last one is removed, and none may be added")
  func finalizers() {
    var server = TestServer()
    server.createWidget("w1", metadata: #""finalizers":["example.com/f"]"#)
    let marked = server.ask("DELETE", "\(Self.widgets)/w1")
    #expect(marked["kind"] == "Widget")
    #expect(marked["metadata", "deletionTimestamp"] == "2026-01-01T00:00:00Z")
    #expect(marked["metadata", "deletionGracePeriodSeconds"] == 0)
    #expect(marked["metadata", "generation"] == 2)
    let version = server.store.resourceVersion
    #expect(server.ask("DELETE", "\(Self.widgets)/w1").status == 200)
    #expect(server.store.resourceVersion == version, "a second deletion changes nothing")
    let refused = server.ask(
      "PATCH", "\(Self.widgets)/w1", #"{"metadata":{"finalizers":["example.com/f","example.com/g"]}}"#, type: Self.merge
    )
    #expect(
      refused.message
        == #"Widget.demo.example.com "w1" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/g"}"#
    )
    let last = server.ask("PATCH", "\(Self.widgets)/w1", #"{"metadata":{"finalizers":null}}"#, type: Self.merge)
    #expect(last.status == 200)
    #expect(server.ask("GET", "\(Self.widgets)/w1").status == 404)
  }

  @Test("A running pod keeps its grace period until the kubelet ends it; an unscheduled one goes at once")
  func pods() {
    var server = TestServer()
    func create(_ name: String, node: String) {
      server.ask(
        "POST", TestServer.pods,
        #"{"metadata":{"name":"\#(name)"},"spec":{\#(node)"terminationGracePeriodSeconds":45,"containers":[{"name":"c","image":"i"}]}}"#
      )
    }
    create("idle", node: "")
    #expect(server.ask("DELETE", "\(TestServer.pods)/idle")["kind"] == "Pod")
    #expect(server.ask("GET", "\(TestServer.pods)/idle").status == 404)
    create("busy", node: #""nodeName":"n1","#)
    let marked = server.ask("DELETE", "\(TestServer.pods)/busy")
    #expect(marked["metadata", "deletionTimestamp"] == "2026-01-01T00:00:45Z")
    let sooner = server.ask("DELETE", "\(TestServer.pods)/busy?gracePeriodSeconds=5")
    #expect(sooner["metadata", "deletionGracePeriodSeconds"] == 5)
    let later = server.ask("DELETE", "\(TestServer.pods)/busy?gracePeriodSeconds=60")
    #expect(later["metadata", "deletionGracePeriodSeconds"] == 5)
    let uid = marked["metadata", "uid"]?.stringValue ?? ""
    let wrong = server.ask(
      "DELETE", "\(TestServer.pods)/busy", #"{"gracePeriodSeconds":0,"preconditions":{"uid":"x"}}"#)
    #expect(wrong.status == 409)
    server.ask("DELETE", "\(TestServer.pods)/busy", #"{"gracePeriodSeconds":0,"preconditions":{"uid":"\#(uid)"}}"#)
    #expect(server.ask("GET", "\(TestServer.pods)/busy").status == 404)
  }

  @Test("Dependents go after their last owner; one that has another owner only loses the reference")
  func background() {
    var server = TestServer()
    let first = server.createWidget("first")
    let second = server.createWidget("second")
    server.createWidget("child", metadata: Self.owner(first))
    let both =
      Self.owner(first).replacing("]", with: "") + "," + Self.owner(second).split(separator: "[", maxSplits: 1)[1]
    server.createWidget("shared", metadata: both)
    server.createWidget("grandchild", metadata: Self.owner(server.ask("GET", "\(Self.widgets)/child")))
    server.ask("DELETE", "\(Self.widgets)/first")
    #expect(server.ask("GET", "\(Self.widgets)/child").status == 200)
    server.collectAll()
    #expect(server.ask("GET", "\(Self.widgets)/child").status == 404)
    #expect(server.ask("GET", "\(Self.widgets)/grandchild").status == 404)
    #expect(server.ask("GET", "\(Self.widgets)/shared")["metadata", "ownerReferences"]?.arrayValue?.count == 1)
    let isBusy = server.store.collectGarbage(now: server.now)
    #expect(!isBusy, "at rest nothing is written")
  }

  @Test("An object whose owner never existed is collected")
  func absentOwner() {
    var server = TestServer()
    server.createWidget(
      "orphan",
      metadata: #""ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"never"}]"#)
    server.collectAll()
    #expect(server.ask("GET", "\(Self.widgets)/orphan").status == 404)
  }

  @Test("In the foreground the owner waits for dependents that block it")
  func foreground() {
    var server = TestServer()
    let owner = server.createWidget("owner")
    server.createWidget("free", metadata: Self.owner(owner, blocks: false))
    server.createWidget("held", metadata: Self.owner(owner) + #","finalizers":["example.com/f"]"#)
    let marked = server.ask("DELETE", "\(Self.widgets)/owner", #"{"propagationPolicy":"Foreground"}"#)
    #expect(marked["metadata", "finalizers"] == ["foregroundDeletion"])
    server.collectAll()
    #expect(server.ask("GET", "\(Self.widgets)/free").status == 404)
    #expect(server.ask("GET", "\(Self.widgets)/owner").status == 200)
    server.ask("PATCH", "\(Self.widgets)/held", #"{"metadata":{"finalizers":null}}"#, type: Self.merge)
    server.collectAll()
    #expect(server.ask("GET", "\(Self.widgets)/held").status == 404)
    #expect(server.ask("GET", "\(Self.widgets)/owner").status == 404)
  }

  @Test("Orphaned dependents stay without their owner")
  func orphan() {
    var server = TestServer()
    server.createWidget("child", metadata: Self.owner(server.createWidget("owner")))
    server.ask("DELETE", "\(Self.widgets)/owner?propagationPolicy=Orphan")
    server.collectAll()
    #expect(server.ask("GET", "\(Self.widgets)/owner").status == 404)
    let child = server.ask("GET", "\(Self.widgets)/child")
    #expect(child.status == 200)
    #expect(child["metadata", "ownerReferences"] == nil)
  }

  @Test("A terminating namespace takes nothing new, loses its contents, then goes")
  func namespace() {
    var server = TestServer()
    server.createWidget("w1")
    server.createWidget("held", metadata: #""finalizers":["example.com/f"]"#)
    let marked = server.ask("DELETE", "/api/v1/namespaces/ns")
    #expect(marked["status", "phase"] == "Terminating")
    let refused = server.createWidget("w2")
    #expect(refused.status == 403)
    #expect(
      refused.message
        == #"widgets.demo.example.com "w2" is forbidden: unable to create new content in namespace ns because it is being terminated"#
    )
    server.collectAll()
    #expect(server.ask("GET", "\(Self.widgets)/w1").status == 404)
    #expect(server.ask("GET", "/api/v1/namespaces/ns").status == 200)
    server.ask("PATCH", "\(Self.widgets)/held", #"{"metadata":{"finalizers":null}}"#, type: Self.merge)
    server.collectAll()
    #expect(server.ask("GET", "/api/v1/namespaces/ns").status == 404)
    #expect(server.createWidget("w2").message == #"namespaces "ns" not found"#)
  }

  @Test("A namespace made with an empty spec is emptied before it goes, too")
  func namespaceWithoutFinalizers() {
    var server = TestServer(namespaces: [])
    server.ask("POST", "/api/v1/namespaces", #"{"metadata":{"name":"ns"},"spec":{}}"#)
    server.createWidget("w1")
    server.ask("DELETE", "/api/v1/namespaces/ns")
    #expect(server.ask("GET", "/api/v1/namespaces/ns").status == 200)
    server.collectAll()
    #expect(server.store.objects(ResourceDefinition.widgets.type).isEmpty)
    #expect(server.ask("GET", "/api/v1/namespaces/ns").status == 404)
  }

  @Test("Deleting a collection deletes what is selected and lists it")
  func collection() {
    var server = TestServer()
    server.createWidget("w1", metadata: #""labels":{"a":"b"}"#)
    server.createWidget("w2")
    let answer = server.ask("DELETE", "\(Self.widgets)?labelSelector=a%3Db")
    #expect(answer["kind"] == "WidgetList")
    #expect(answer["items"]?.arrayValue?.count == 1)
    #expect(server.ask("GET", Self.widgets)["items"]?.arrayValue?.count == 1)
  }
}
