import FoundationEssentials
import KubernetesAPI
import Telemetry
import Testing

@testable import ControllerRuntime

@Suite struct EventCorrelatorTests {
  private let service = KubernetesObject([
    "apiVersion": "serving.pilotlight.dev/v1alpha1", "kind": "InferenceService",
    "metadata": ["name": "llama", "namespace": "team", "uid": "u-1", "resourceVersion": "7"],
  ])

  private func at(_ seconds: Int) -> Now {
    Now(monotonic: .seconds(seconds), wall: Date(timeIntervalSince1970: 1_700_000_000 + Double(seconds)))
  }

  private func occurrence(_ message: String, reason: String = "Scaled") -> EventCorrelator.Occurrence {
    .init(object: service, kind: .normal, reason: reason, message: message)
  }

  @Test("an Event says about whom, what, when and who says so")
  func create() {
    var correlator = EventCorrelator(component: "pilotlight-controller", instance: "one")
    guard case .create(let event) = correlator.handle(occurrence("burst 0 -> 1"), now: at(0)) else {
      return #expect(Bool(false), "not created")
    }
    #expect(event.metadata.namespace == "team")
    #expect(event.metadata.name.hasPrefix("llama."))
    #expect(event.json["involvedObject"]?["uid"]?.stringValue == "u-1")
    #expect(event.json["involvedObject"]?["kind"]?.stringValue == "InferenceService")
    #expect(event.json["message"]?.stringValue == "burst 0 -> 1")
    #expect(event.json["count"]?.intValue == 1)
    #expect(event.json["firstTimestamp"]?.stringValue == "2023-11-14T22:13:20Z")
    #expect(event.json["source"]?["component"]?.stringValue == "pilotlight-controller")
  }

  @Test("the same news raises a count; after ten minutes of silence it is news again")
  func count() {
    var correlator = EventCorrelator(component: "c", instance: "i")
    guard case .create(let event) = correlator.handle(occurrence("x"), now: at(0)),
      case .patch(let key, let change, let whole) = correlator.handle(occurrence("x"), now: at(30))
    else { return #expect(Bool(false), "not counted") }
    #expect(key == event.key)
    #expect(change["count"]?.intValue == 2)
    #expect(whole.json["lastTimestamp"]?.stringValue == "2023-11-14T22:13:50Z")
    #expect(whole.json["firstTimestamp"] == event.json["firstTimestamp"])
    guard case .create = correlator.handle(occurrence("x"), now: at(700)) else {
      return #expect(Bool(false), "not new")
    }
  }

  @Test("many different messages of one reason become one Event; other reasons stay apart")
  func combines() {
    var correlator = EventCorrelator(component: "c", instance: "i")
    var created: [String] = []
    var patched: [String] = []
    for index in 0..<14 {
      switch correlator.handle(occurrence("m\(index)"), now: at(index)) {
      case .create(let event): created.append(event.json["message"]?.stringValue ?? "")
      case .patch(_, let change, _): patched.append(change["message"]?.stringValue ?? "")
      case .drop: break
      }
    }
    #expect(created.count == 11)
    #expect(created.last == "(combined from similar events): m10")
    #expect(patched == (11..<14).map { "(combined from similar events): m\($0)" })
    guard case .create = correlator.handle(occurrence("m20", reason: "Woke"), now: at(20)) else {
      return #expect(Bool(false), "another reason was combined, too")
    }
  }

  @Test("an object that never stops talking is rationed, and heard again later")
  func rations() {
    var correlator = EventCorrelator(component: "c", instance: "i")
    let effects = (0..<40).map { _ in correlator.handle(occurrence("x"), now: at(0)) }
    #expect(effects.filter { $0 == .drop }.count == 15)
    #expect(correlator.handle(occurrence("x"), now: at(60)) != .drop)
  }

  @Test("what is remembered is bounded")
  func bounded() {
    var correlator = EventCorrelator(component: "c", instance: "i", capacity: 10)
    for index in 0..<100 {
      var other = service
      other.json[path: ["metadata", "uid"]] = .string("u-\(index)")
      let effect = correlator.handle(.init(object: other, kind: .warning, reason: "R", message: "m"), now: at(index))
      guard case .create = effect else { return #expect(Bool(false), "\(index) was not created") }
    }
    #expect(correlator.rememberedSubjects <= 11)
  }
}
