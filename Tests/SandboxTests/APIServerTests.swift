import CurlTransport
import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Testing

@testable import Sandbox

@Suite("The API over HTTPS", .timeLimit(.minutes(1)))
struct APIServerTests {
  private func status(_ sandbox: RunningSandbox, _ path: String, token: String?) async throws -> (Int, JSONValue) {
    var request = CurlRequest(url: sandbox.endpoint.server + path, tls: sandbox.endpoint.tls)
    if let token { request.headers = [("Authorization", "Bearer \(token)")] }
    let (head, body) = try await sandbox.driver.send(request)
    return (head.status, (try? JSONValue(parsing: body)) ?? .null)
  }

  @Test("a wrong token is 401, none is 403, and health needs none")
  func authentication() async throws {
    try await RunningSandbox.run { sandbox in
      let wrong = try await status(sandbox, "/api/v1/pods", token: "wrong")
      #expect(wrong.0 == 401)
      #expect(wrong.1["reason"] == "Unauthorized")
      let anonymous = try await status(sandbox, "/api/v1/pods", token: nil)
      #expect(anonymous.0 == 403)
      #expect(anonymous.1["message"]?.stringValue?.contains("system:anonymous") == true)
      #expect(try await status(sandbox, "/readyz", token: nil).0 == 200)
      #expect(try await status(sandbox, "/version", token: nil).1["gitVersion"] != nil)
    }
  }

  @Test("a body beyond 3 MiB is refused")
  func largeBody() async throws {
    try await RunningSandbox.run { sandbox in
      let object = KubernetesObject([
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "big", "namespace": "default"],
        "data": ["k": .string(String(repeating: "x", count: 3 << 20))],
      ])
      let status = await #expect(throws: KubernetesStatus.self) {
        try await sandbox.client.create(.configMaps, object)
      }
      #expect(status?.code == 413)
    }
  }

  @Test("a watch replays what is there, tells what happens, and ends when its time is over")
  func watch() async throws {
    try await RunningSandbox.run { sandbox in
      let events = sandbox.client.watch(
        .namespaces, fieldSelector: "metadata.name!=kube-system", resourceVersion: "", bookmarks: true,
        timeout: .seconds(5))
      var names: [String] = []
      var bookmarks = 0
      for try await event in events {
        switch event {
        case .added(let object):
          names.append(object.metadata.name)
          if names.count == 4 {
            _ = try await sandbox.client.create(.namespaces, KubernetesObject(.namespaces, ObjectKey(name: "new")))
          }
        case .bookmark: bookmarks += 1
        default: break
        }
      }
      #expect(names == ["default", "kube-node-lease", "kube-public", "pilotlight-system", "new"])
      #expect(bookmarks == 1)
    }
  }

  @Test("a followed log goes on until the container ends")
  func follow() async throws {
    try await RunningSandbox.run { sandbox in
      let go = "\(sandbox.folder)/go"
      try await sandbox.createPod(
        "talk", script: "echo one; until [ -e \(go) ]; do sleep 0.02; done; echo two", spec: ["restartPolicy": "Never"])
      _ = try await sandbox.first(.pods, "talk") { Pod($0).isReady }
      let request = KubernetesRequest(
        method: .get, path: "/api/v1/namespaces/default/pods/talk/log", query: [.init("follow", "true")], accept: "*/*")
      let stream = try await sandbox.transport.stream(request)
      var text = ""
      for try await piece in stream.body {
        text += String(decoding: piece, as: UTF8.self)
        if text == "one\n" { #expect(FileManager.default.createFile(atPath: go, contents: nil)) }
      }
      #expect(text == "one\ntwo\n")
    }
  }

  @Test(
    "what a log request gets wrong is said as by the API",
    arguments: [
      ("/api/v1/namespaces/default/pods/none/log", 404, "pods \"none\" not found"),
      ("/api/v1/namespaces/default/pods/quiet/log?container=x", 400, "container x is not valid for pod quiet"),
      (
        "/api/v1/namespaces/default/pods/quiet/log?previous=true", 400,
        "previous terminated container \"c\" in pod \"quiet\" not found"
      ),
      (
        "/api/v1/namespaces/default/pods/quiet/log?tailLines=-1", 422,
        "PodLogOptions \"\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0"
      ),
    ])
  func badLogs(path: String, code: Int, message: String) async throws {
    try await RunningSandbox.run { sandbox in
      try await sandbox.createPod("quiet", script: "exec sleep 100")
      let token = try await sandbox.endpoint.credentials?.credential().token
      let (status, json) = try await status(sandbox, path, token: token)
      #expect(status == code)
      #expect(json["message"]?.stringValue == message)
    }
  }
}
