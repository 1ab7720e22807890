import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Testing

@testable import Sandbox

@Suite("Pods as processes", .timeLimit(.minutes(1)))
struct KubeletTests {
  private static func isReady(_ pod: KubernetesObject) -> Bool { Pod(pod).isReady }

  private static func state(_ pod: KubernetesObject) -> JSONValue? { Pod(pod).containerStatuses.first?["state"] }

  @Test("a pod runs its command with its environment, and its log can be read")
  func environment() async throws {
    try await RunningSandbox.run { sandbox in
      _ = try await sandbox.client.create(
        .secrets,
        KubernetesObject([
          "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "s", "namespace": "default"],
          "stringData": ["k": "secret"],
        ]))
      _ = try await sandbox.client.create(
        .configMaps,
        KubernetesObject([
          "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "m", "namespace": "default"],
          "data": ["FROM_MAP": "map"],
        ]))
      let container: JSONValue = [
        "workingDir": "/tmp",
        "env": [
          ["name": "A", "value": "one"], ["name": "B", "value": "$(A)-two-$(NONE)-$$(A)"],
          ["name": "NAME", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]],
          ["name": "KEY", "valueFrom": ["secretKeyRef": ["name": "s", "key": "k"]]],
          ["name": "CPU", "valueFrom": ["resourceFieldRef": ["resource": "limits.cpu"]]],
        ],
        "envFrom": [["prefix": "P_", "configMapRef": ["name": "m"]]], "resources": ["limits": ["cpu": "1500m"]],
        "args": ["$(A)"],
        "command": ["/bin/sh", "-c", "echo \"$B|$NAME|$KEY|$CPU|$P_FROM_MAP|$PWD|$0|$HOSTNAME\"; echo $POD_IP"],
      ]
      try await sandbox.createPod("env", script: "", container: container, spec: ["restartPolicy": "Never"])
      let pod = try await sandbox.first(.pods, "env") { Pod($0).phase == "Succeeded" }
      let lines = try await sandbox.log("env").split(separator: "\n").map(String.init)
      #expect(lines.first == "one-two-$(NONE)-$(A)|env|secret|2|map|/tmp|one|env")
      #expect(lines.last == Pod(pod).podIP)
      #expect(Pod(pod).podIP.hasPrefix("127.") && !Pod(pod).podIP.hasPrefix("127.0.0."))
      #expect(try await sandbox.log("env", [.init("tailLines", "1")]) == "\(Pod(pod).podIP)\n")
      #expect(try await sandbox.log("env", [.init("limitBytes", "3")]) == "one")
      let timed = try await sandbox.log("env", [.init("timestamps", "true"), .init("tailLines", "1")])
      #expect(timed.split(separator: " ").first.flatMap { Timestamp.parse(String($0)) } != nil)
    }
  }

  @Test("a pod whose Secret is missing waits for it")
  func missingSecret() async throws {
    try await RunningSandbox.run { sandbox in
      let container: JSONValue = ["env": [["name": "K", "valueFrom": ["secretKeyRef": ["name": "s", "key": "k"]]]]]
      try await sandbox.createPod("late", script: "echo $K; exec sleep 100", container: container)
      let waiting = try await sandbox.first(.pods, "late") { Self.state($0)?["waiting"]?["message"] != nil }
      #expect(Self.state(waiting)?["waiting"]?["reason"] == "CreateContainerConfigError")
      #expect(Self.state(waiting)?["waiting"]?["message"] == "secret \"s\" not found")
      _ = try await sandbox.client.create(
        .secrets,
        KubernetesObject([
          "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "s", "namespace": "default"],
          "stringData": ["k": "v"],
        ]))
      _ = try await sandbox.first(.pods, "late", where: Self.isReady)
    }
  }

  @Test("a container that crashes is restarted at once, then backs off with its last words in the status")
  func crash() async throws {
    try await RunningSandbox.run { sandbox in
      try await sandbox.createPod("crash", script: "echo about to fail; echo why >&2; exit 3")
      let pod = try await sandbox.first(.pods, "crash") {
        Self.state($0)?["waiting"]?["reason"] == "CrashLoopBackOff"
      }
      let last = Pod(pod).containerStatuses.first?[path: ["lastState", "terminated"]]
      #expect(last?["exitCode"]?.intValue == 3)
      #expect(last?["message"] == "about to fail\nwhy\n")
      #expect(Pod(pod).restartCount == 1)
      #expect(try await sandbox.log("crash", [.init("previous", "true")]) == "about to fail\nwhy\n")
    }
  }

  @Test("readiness is probed until it passes", arguments: ["exec", "tcpSocket"])
  func readiness(kind: String) async throws {
    try await RunningSandbox.run { sandbox in
      let probe: JSONValue =
        kind == "exec"
        ? ["exec": ["command": ["test", "-e", "\(sandbox.folder)/ready"]]] : ["tcpSocket": ["port": 8099]]
      let script =
        kind == "exec"
        ? "touch \(sandbox.folder)/ready; exec sleep 100" : "exec python3 -m http.server 8099 --bind $POD_IP"
      try await sandbox.createPod(
        "probed", script: script, container: ["readinessProbe": probe, "ports": [["containerPort": 8099]]])
      let pod = try await sandbox.first(.pods, "probed", where: Self.isReady)
      #expect(Pod(pod).phase == "Running")
    }
  }

  @Test("a deletion ends the process with SIGTERM after its preStop hook, and all that it started with it")
  func deletion() async throws {
    try await RunningSandbox.run { sandbox in
      let out = "\(sandbox.folder)/out"
      let script =
        "setsid sleep 1000 & trap 'echo term >> \(out); exit 0' TERM; touch \(out).up; while :; do sleep 0.05; done"
      let container: JSONValue = [
        "lifecycle": ["preStop": ["exec": ["command": ["/bin/sh", "-c", "echo stop >> \(out)"]]]],
        "readinessProbe": ["exec": ["command": ["test", "-e", "\(out).up"]]],
      ]
      try await sandbox.createPod("end", script: script, container: container)
      let pod = try await sandbox.first(.pods, "end", where: Self.isReady)
      let marker = "PILOTLIGHT_POD_UID=\(pod.metadata.uid)"
      #expect(ProcessTable.members(withEnvironment: marker).count >= 2)
      let key = ObjectKey(namespace: "default", name: "end")
      let deleted = try await sandbox.client.delete(.pods, key)
      #expect(deleted?.metadata.isBeingDeleted == true)
      try await sandbox.gone(.pods, "end", after: pod.metadata.resourceVersion)
      let trace = FileManager.default.contents(atPath: out).map { String(decoding: $0, as: UTF8.self) }
      #expect(trace == "stop\nterm\n")
      #expect(ProcessTable.members(withEnvironment: marker).isEmpty)
    }
  }

  @Test("a pod that listens on every address fails with an Event that says so")
  func listenRule() async throws {
    try await RunningSandbox.run { sandbox in
      let port = try #require(PortReservation.free(1).first)
      let container: JSONValue = [
        "ports": [["containerPort": JSONValue(port)]], "readinessProbe": ["tcpSocket": ["port": JSONValue(port)]],
      ]
      try await sandbox.createPod(
        "wild", script: "exec python3 -m http.server \(port)", container: container, spec: ["restartPolicy": "Never"])
      let pod = try await sandbox.first(.pods, "wild") { Pod($0).phase == "Failed" }
      let end = Self.state(pod)?["terminated"]
      #expect(end?["reason"] == "ListensOnEveryAddress")
      #expect(end?["message"]?.stringValue?.contains("port \(port) is bound on every address") == true)
      let events = try await sandbox.client.list(.events, namespace: "default")
      #expect(events.items.contains { $0.json["reason"] == "ListensOnEveryAddress" && $0.json["type"] == "Warning" })
    }
  }

  @Test("a Deployment's pods are reached through its Service's slice, and go when it is deleted")
  func deployment() async throws {
    try await RunningSandbox.run { sandbox in
      var json = VirtualCluster.deployment("web", replicas: 2)
      json[path: ["spec", "template", "spec", "containers"]] = [
        [
          "name": "c", "image": "none", "command": ["/bin/sh", "-c", "exec sleep 100"],
          "ports": [["name": "http", "containerPort": 8000]],
        ]
      ]
      json[path: ["spec", "template", "spec", "terminationGracePeriodSeconds"]] = 1
      _ = try await sandbox.client.create(.deployments, KubernetesObject(json))
      let up = try await sandbox.first(.deployments, "web") { Deployment($0).availableReplicas == 2 }
      _ = try await sandbox.client.setScale(.deployments, up.key, replicas: 0)
      _ = try await sandbox.first(.deployments, "web") {
        Deployment($0).currentReplicas == 0 && Deployment($0).observedGeneration == $0.metadata.generation
      }
      #expect(try await sandbox.client.delete(.deployments, up.key) == nil)
    }
  }
}
