import Decisions
import FleetProtocol
import FoundationEssentials
import KubernetesAPI
import Telemetry
import Testing

@testable import Operator

@Suite("The controller's state for people") struct ControllerSnapshotTests {
  private let start = Now(monotonic: .seconds(1000), wall: Date(timeIntervalSince1970: 1_750_000_000))

  @Test("it tells the gateways and how long each has been silent, and whether this controller leads")
  func gateways() throws {
    var contents = ControllerState.Contents()
    _ = contents.board.setGateways(["10.0.0.2:9090": true, "10.0.0.1:9090": false])
    let hello = LoadSnapshot(gateway: "g", bootID: "1", sequence: 1, services: [], takesSlots: true)
    _ = contents.record(hello, from: "10.0.0.2:9090", now: start)
    contents.isLeading = true
    contents.leadingSince = .seconds(900)
    let later = Now(monotonic: .seconds(1002), wall: start.wall)
    let snapshot = contents.snapshot(identity: "me", hasSynced: true, now: later)
    let json = try JSONValue(parsing: try snapshot.encoded())
    #expect(json["leadingForSeconds"] == 102)
    #expect(
      json["gateways"] == [
        ["address": "10.0.0.1:9090", "busyServices": 0, "isReadable": false, "takesTraffic": false],
        [
          "address": "10.0.0.2:9090", "busyServices": 0, "isReadable": true, "secondsSinceSnapshot": 2,
          "takesTraffic": true,
        ],
      ])
    contents.isLeading = false
    #expect(contents.snapshot(identity: "me", hasSynced: true, now: later).leadingForSeconds == nil)
  }

  @Test("it tells a service's failed wake and drain, and its idle window")
  func services() throws {
    var contents = ControllerState.Contents()
    var service = KubernetesObject([
      "apiVersion": "serving.pilotlight.dev/v1alpha1", "kind": "InferenceService",
      "metadata": ["name": "owl", "namespace": "default", "uid": "u", "generation": 3],
      "spec": [
        "template": ["spec": ["containers": [["name": "model", "image": "i", "ports": [["containerPort": 8000]]]]]]
      ],
    ])
    service.status = ["drain": ["epoch": 4, "pods": ["p"]]]
    let known = try KnownService(service, timeZones: NoTimeZones())
    contents.known.set(service.key, known)
    var memory = ServiceMemory(known.intent, service: service, leadingSince: start.monotonic, now: start)
    let price = WakePrice(waitingPerHour: 30, replicaPerHour: 3)
    memory.sleep.note(
      idleFor: .seconds(4), price: price, loadTime: .seconds(30), &contents.idleWindows, now: start)
    contents.memories[service.key] = memory
    let json = try JSONValue(parsing: try contents.snapshot(identity: "me", hasSynced: true, now: start).encoded())
    let shown = json["services"]?.arrayValue?.first
    #expect(shown?["name"] == "owl")
    #expect(shown?["generation"] == 3)
    #expect(shown?["drain"] == ["epoch": 4, "pods": ["p"]])
    #expect(shown?["load"]?["isComplete"] == false)
    #expect(shown?["idleWindow"]?["wakePrice"] == 300 && shown?["idleWindow"]?["gaps"] == 0)
    #expect(shown?["idleWindow"]?["window"] == memory.sleep.choice.map { .double($0.window) })
  }
}
