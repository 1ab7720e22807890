import KubernetesAPI
import Testing

@testable import ObjectStore

@Suite("Network policies")
struct NetworkPolicyTests {
  private static let policies = "/apis/networking.k8s.io/v1/namespaces/ns/networkpolicies"
  private static let table = "application/json;as=Table;v=v1;g=meta.k8s.io"

  @Test("A network policy is about ingress, and about egress where it has rules for it; ports are TCP")
  func policyDefaults() {
    var server = TestServer()
    func body(_ name: String, _ rest: String) -> String {
      #"{"metadata":{"name":"\#(name)"},"spec":{"podSelector":{"matchLabels":{"a":"b"}}\#(rest)}}"#
    }
    #expect(server.ask("POST", Self.policies, body("in", ""))["spec", "policyTypes"] == ["Ingress"])
    let both = server.ask("POST", Self.policies, body("both", #","egress":[{"ports":[{"port":53}]}]"#))
    #expect(both["spec", "policyTypes"] == ["Ingress", "Egress"])
    #expect(both["spec", "egress"] == [["ports": [["port": 53, "protocol": "TCP"]]]])
    let given = server.ask("POST", Self.policies, body("given", #","policyTypes":["Egress"]"#))
    #expect(given["spec", "policyTypes"] == ["Egress"])
    let rows = server.ask("GET", Self.policies, accept: Self.table)["rows"]
    #expect(rows?[0]?["cells"] == ["both", "a=b", "0s"])
  }
}
