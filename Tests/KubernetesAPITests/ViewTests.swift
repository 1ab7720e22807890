import KubernetesAPI
import Testing

@Suite("Views")
struct ViewTests {
  @Test("A condition keeps its transition time until its status changes")
  func conditions() {
    var object = KubernetesObject([:])
    func set(_ status: String, _ time: String) {
      object.setCondition(Condition(type: "Ready", status: status, reason: "R", message: "m", transitionTime: time))
    }
    set("False", "t1")
    set("False", "t2")
    #expect(object.condition("Ready")?.lastTransitionTime == "t1")
    set("True", "t3")
    #expect(object.condition("Ready")?.lastTransitionTime == "t3")
    #expect(object.conditions.count == 1)
  }

  @Test("Absent endpoint conditions mean ready, serving and not terminating")
  func endpoints() {
    let slice = EndpointSlice(
      KubernetesObject([
        "metadata": ["labels": ["kubernetes.io/service-name": "m"]],
        "endpoints": [
          ["addresses": ["10.0.0.1"], "targetRef": ["kind": "Pod", "name": "p", "uid": "u"]],
          ["addresses": ["10.0.0.2"], "conditions": ["ready": false, "serving": true, "terminating": true]],
        ],
        "ports": [["name": "http", "port": 8000], ["port": 9000]],
      ]))
    #expect(slice.endpoints.map(\.isReady) == [true, false])
    #expect(slice.endpoints.map(\.isServing) == [true, true])
    #expect(slice.endpoints.map(\.isTerminating) == [false, true])
    #expect(slice.endpoints.map(\.podUID) == ["u", nil])
    #expect(slice.ports == ["http": 8000, "": 9000])
    #expect(slice.serviceName == "m")
  }

  @Test("A Deployment without replicas wants one, a Service without a selector selects nothing")
  func defaults() {
    #expect(Deployment(KubernetesObject(["spec": [:]])).replicas == 1)
    #expect(Service(KubernetesObject(["spec": ["selector": [:]]])).selector == nil)
    #expect(Pod(KubernetesObject([:])).phase == "Pending")
  }
}
