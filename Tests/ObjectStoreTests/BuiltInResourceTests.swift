import FoundationEssentials
import KubernetesAPI
import Testing

@testable import ObjectStore

@Suite("Built-in resources")
struct BuiltInResourceTests {
  private static let deployments = TestServer.deployments
  private static let table = "application/json;as=Table;v=v1;g=meta.k8s.io"

  private static func deployment(
    spec: String = "", selector: String = #"{"matchLabels":{"a":"b"}}"#, labels: String = #"{"a":"b"}"#,
    pod: String = "",
    container: String = #""name":"c","image":"i:1""#
  ) -> String {
    #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{\#(spec)"selector":\#(selector),"template":{"metadata":{"labels":\#(labels)},"spec":{\#(pod)"containers":[{\#(container)}]}}}}"#
  }

  @Test("A Deployment gets the defaults that kubectl and clients rely on")
  func defaults() {
    var server = TestServer()
    let container =
      #""name":"c","image":"i","ports":[{"containerPort":80}],"resources":{"limits":{"nvidia.com/gpu":1,"cpu":0.5,"memory":"1024Mi"}},"readinessProbe":{"httpGet":{"port":80}}"#
    let spec = server.ask("POST", Self.deployments, Self.deployment(container: container))["spec"]
    #expect(spec?["replicas"] == 1)
    #expect(spec?["revisionHistoryLimit"] == 10)
    #expect(spec?["progressDeadlineSeconds"] == 600)
    #expect(
      spec?["strategy"] == ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": "25%", "maxUnavailable": "25%"]])
    let pod = spec?[path: ["template", "spec"]]
    #expect(pod?["restartPolicy"] == "Always")
    #expect(pod?["terminationGracePeriodSeconds"] == 30)
    #expect(pod?["dnsPolicy"] == "ClusterFirst")
    #expect(pod?["schedulerName"] == "default-scheduler")
    #expect(pod?["securityContext"] == [:])
    let made = pod?["containers"]?[0]
    #expect(made?["imagePullPolicy"] == "Always")
    #expect(made?["terminationMessagePath"] == "/dev/termination-log")
    #expect(made?["ports"] == [["containerPort": 80, "protocol": "TCP"]])
    #expect(made?["resources"] == ["limits": ["nvidia.com/gpu": "1", "cpu": "500m", "memory": "1Gi"]])
    #expect(made?[path: ["readinessProbe", "httpGet"]] == ["port": 80, "path": "/", "scheme": "HTTP"])
    #expect(made?[path: ["readinessProbe", "failureThreshold"]] == 3)
  }

  @Test(
    "A bad Deployment is refused in the API server's words",
    arguments: [
      (
        deployment(labels: #"{"a":"c"}"#),
        #"spec.template.metadata.labels: Invalid value: map[string]string{"a":"c"}: `selector` does not match template `labels`"#
      ),
      (deployment(container: #""image":"i""#), "spec.template.spec.containers[0].name: Required value"),
      (deployment(container: #""name":"c""#), "spec.template.spec.containers[0].image: Required value"),
      (
        deployment(container: #""name":"c","image":"i","ports":[{"containerPort":70000}]"#),
        "spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"
      ),
      (
        deployment(pod: #""restartPolicy":"Never","#),
        #"spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always""#
      ),
      (deployment(spec: #""replicas":-1,"#), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
      (
        deployment(spec: #""strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":0}},"#),
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"
      ),
      (
        deployment(container: #""name":"c","image":"i","resources":{"limits":{"cpu":"x"}}"#),
        #"spec.template.spec.containers[0].resources.limits[cpu]: Invalid value: "x": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"#
      ),
      (
        deployment(container: #""name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/v"}]"#),
        #"spec.template.spec.containers[0].volumeMounts[0].name: Not found: "v""#
      ),
      (
        deployment(container: #""name":"c","image":"i"},{"name":"c","image":"i""#),
        #"spec.template.spec.containers[1].name: Duplicate value: "c""#
      ),
    ])
  func validation(body: String, message: String) {
    var server = TestServer()
    let answer = server.ask("POST", Self.deployments, body)
    #expect(answer.status == 422)
    #expect(answer.message == #"Deployment.apps "d" is invalid: "# + message)
  }

  @Test("A missing selector is required, a changed one immutable")
  func selector() {
    var server = TestServer()
    let missing = server.ask(
      "POST", Self.deployments,
      #"{"metadata":{"name":"d"},"spec":{"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}"#
    )
    #expect(missing.message == #"Deployment.apps "d" is invalid: spec.selector: Required value"#)
    server.ask("POST", Self.deployments, Self.deployment())
    let changed = server.ask(
      "PUT", "\(Self.deployments)/d",
      Self.deployment(selector: #"{"matchLabels":{"x":"y"}}"#, labels: #"{"x":"y"}"#))
    #expect(
      changed.message
        == #"Deployment.apps "d" is invalid: spec.selector: Invalid value: {"matchLabels":{"x":"y"}}: field is immutable"#
    )
  }

  @Test("A dry run of a Deployment finds a misspelt field of a container")
  func misspelt() {
    var server = TestServer()
    let body = Self.deployment(container: #""name":"c","image":"i","imagee":"j""#)
    let answer = server.ask("POST", "\(Self.deployments)?dryRun=All&fieldValidation=Strict", body)
    #expect(answer.status == 400)
    #expect(
      answer.message
        == #"Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.template.spec.containers[0].imagee""#
    )
  }

  @Test("A strategic patch that writes a quantity the long way changes nothing")
  func quantityPatch() {
    var server = TestServer()
    let container = #""name":"c","image":"i","resources":{"limits":{"nvidia.com/gpu":1}}"#
    let made = server.ask("POST", Self.deployments, Self.deployment(container: container))
    let patch =
      #"{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"c"}],"containers":[{"name":"c","resources":{"limits":{"nvidia.com/gpu":1}}}]}}}}"#
    let answer = server.ask(
      "PATCH", "\(Self.deployments)/d", patch, type: "application/strategic-merge-patch+json")
    #expect(answer.status == 200)
    #expect(answer["metadata", "resourceVersion"] == made["metadata", "resourceVersion"])
  }

  @Test(
    "Quantities have one normal form",
    arguments: [
      ("1", "1"), ("1000m", "1"), ("0.5", "500m"), ("1500m", "1500m"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"),
      ("1Ki", "1Ki"),
      ("1000", "1k"), ("1e3", "1e3"), ("100k", "100k"), ("0", "0"), ("-1", "-1"), ("0.001", "1m"), ("12.0", "12"),
      ("5E", "5E"), ("1000Ki", "1000Ki"), ("x", nil), ("", nil), ("1.2.3", nil), ("1 Gi", nil), ("99999999999Ei", nil),
    ] as [(String, String?)])
  func quantities(text: String, expected: String?) { #expect(Quantity.canonical(text) == expected) }

  @Test("Services get an address unless headless, and keep it")
  func services() {
    var server = TestServer()
    let path = "/api/v1/namespaces/ns/services"
    let plain = server.ask("POST", path, #"{"metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}"#)
    let address = plain["spec", "clusterIP"]?.stringValue ?? ""
    #expect(address.hasPrefix("10.96."))
    #expect(plain["spec", "ports"] == [["port": 80, "targetPort": 80, "protocol": "TCP"]])
    let replaced = server.ask("PUT", "\(path)/s", #"{"metadata":{"name":"s"},"spec":{"ports":[{"port":81}]}}"#)
    #expect(replaced["spec", "clusterIP"]?.stringValue == address)
    let headless = server.ask(
      "POST", path, #"{"metadata":{"name":"h"},"spec":{"clusterIP":"None","selector":{"a":"b"}}}"#)
    #expect(headless["spec", "clusterIPs"] == ["None"])
    let node = server.ask("POST", path, #"{"metadata":{"name":"n"},"spec":{"type":"NodePort","ports":[{"port":80}]}}"#)
    #expect(node["spec", "ports"]?[0]?["nodePort"]?.intValue == 30_000)
    #expect(server.ask("POST", path, #"{"metadata":{"name":"9"},"spec":{"ports":[{"port":80}]}}"#).status == 422)
  }

  @Test("A Secret's stringData becomes data; what is no base64 is refused without being shown")
  func secrets() {
    var server = TestServer()
    let path = "/api/v1/namespaces/ns/secrets"
    let made = server.ask("POST", path, #"{"metadata":{"name":"s"},"stringData":{"k":"value"}}"#)
    #expect(made["data"] == ["k": "dmFsdWU="])
    #expect(made["stringData"] == nil)
    #expect(made["type"] == "Opaque")
    let bad = server.ask("POST", path, #"{"metadata":{"name":"t"},"data":{"k":"hunter2!"}}"#)
    #expect(bad.status == 422)
    #expect(!bad.message.contains("hunter2"))
  }

  @Test(
    "A CustomResourceDefinition is established when the store serves what it defines",
    arguments: [("widgets", "True"), ("gadgets", "False")])
  func customResourceDefinitions(plural: String, status: String) {
    var server = TestServer()
    let answer = server.ask(
      "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      #"{"metadata":{"name":"\#(plural).demo.example.com"},"spec":{"group":"demo.example.com","names":{"plural":"\#(plural)"},"versions":[{"name":"v1"}]}}"#
    )
    #expect(answer.status == 201)
    #expect(KubernetesObject(answer.json).condition("Established")?.status == status)
  }

  @Test("A pod's spec cannot change but for its image; a node is given once")
  func podChanges() {
    var server = TestServer()
    server.ask(
      "POST", TestServer.pods, #"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}"#)
    func patch(_ body: String) -> Int {
      server.ask(
        "PATCH", "\(TestServer.pods)/p", body, type: "application/strategic-merge-patch+json"
      ).status
    }
    #expect(patch(#"{"spec":{"nodeName":"n1"}}"#) == 200)
    #expect(patch(#"{"spec":{"nodeName":"n2"}}"#) == 422)
    #expect(patch(#"{"spec":{"containers":[{"name":"c","image":"j"}]}}"#) == 200)
    #expect(patch(#"{"spec":{"containers":[{"name":"c","command":["x"]}]}}"#) == 422)
  }

  @Test(
    "A pod's status column says why it does not run",
    arguments: [
      (
        #"{"phase":"Running","containerStatuses":[{"name":"c","ready":true,"restartCount":0,"state":{"running":{}}}]}"#,
        "1/1", "Running", "0"
      ),
      (
        #"{"phase":"Running","containerStatuses":[{"name":"c","ready":false,"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"finishedAt":"2025-12-31T23:59:00Z"}}}]}"#,
        "0/1", "CrashLoopBackOff", "3 (60s ago)"
      ),
      (
        #"{"phase":"Failed","containerStatuses":[{"name":"c","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":2}}}]}"#,
        "0/1", "ExitCode:2", "0"
      ),
      (
        #"{"phase":"Succeeded","containerStatuses":[{"name":"c","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]}"#,
        "0/1", "Completed", "0"
      ),
      (#"{"phase":"Pending"}"#, "0/1", "Pending", "0"),
      (#"{"phase":"Failed","reason":"Evicted"}"#, "0/1", "Evicted", "0"),
    ])
  func podTable(status: String, ready: String, word: String, restarts: String) {
    var server = TestServer()
    server.ask(
      "POST", TestServer.pods,
      #"{"metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}}"#)
    server.ask(
      "PATCH", "\(TestServer.pods)/p/status", #"{"status":\#(status)}"#, type: "application/merge-patch+json")
    let cells = server.ask("GET", TestServer.pods, accept: Self.table)["rows"]?[0]?["cells"]?.arrayValue ?? []
    #expect(cells.prefix(4) == ["p", .string(ready), .string(word), .string(restarts)])
    server.ask("DELETE", "\(TestServer.pods)/p?gracePeriodSeconds=30")
    let after = server.ask("GET", TestServer.pods, accept: Self.table)["rows"]?[0]?["cells"]?[2]
    #expect(after == nil || after == "Terminating")
  }
}
