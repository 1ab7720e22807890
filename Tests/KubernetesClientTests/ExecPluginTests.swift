import FoundationEssentials
import Glibc
import KubernetesAPI
import KubernetesClient
import Synchronization
import Testing

@testable import CurlTransport

@Suite(.timeLimit(.minutes(1))) struct ExecPluginTests {
  private static let v1 = "client.authentication.k8s.io/v1"

  /// A kubeconfig's plugin: a shell script, which the plugin itself is never run by.
  private func plugin(_ script: String, version: String = v1, hint: String? = nil, cluster: JSONValue? = nil)
    -> ExecPlugin
  {
    ExecPlugin(
      command: "/bin/sh", arguments: ["-c", script, "plugin"], environment: ["MOOD": "fine"], apiVersion: version,
      installHint: hint, cluster: cluster)
  }

  /// A script that answers with that status.
  private func answer(_ status: String, version: String = v1) -> String {
    #"echo '{"apiVersion":"\#(version)","kind":"ExecCredential","status":\#(status)}'"#
  }

  /// What goes wrong when a script is the plugin.
  private func error(_ plugin: ExecPlugin) async -> String {
    await #expect(throws: TransportError.self) { try await ExecCredentials(plugin).credential() }?.message ?? ""
  }

  @Test("a token or a certificate is taken from what the program writes", arguments: ExecPlugin.apiVersions)
  func credentials(version: String) async throws {
    let token = plugin(answer(#"{"token":"t"}"#, version: version), version: version)
    #expect(try await ExecCredentials(token).credential() == Credential(token: "t"))
    let pair = plugin(
      answer(#"{"clientCertificateData":"C","clientKeyData":"K"}"#, version: version), version: version)
    #expect(
      try await ExecCredentials(pair).credential()
        == Credential(clientCertificate: Array("C".utf8), clientKey: Array("K".utf8)))
  }

  @Test("the program is told what the API says: its environment, no terminal, and the cluster where it asked for it")
  func told() async throws {
    let script = #"""
      read line; printf '%s' "$KUBERNETES_EXEC_INFO|$MOOD|$line" | sed 's/"/~/g' >&2; exit 3
      """#
    let cluster: JSONValue = ["server": "https://h", "config": ["audience": "a"]]
    let said = await error(plugin(script, cluster: cluster)).replacing("~", with: "\"")
    let parts = said.split(separator: ": ", maxSplits: 2).last?.split(separator: "|", omittingEmptySubsequences: false)
    let information = try JSONValue(parsing: Array((parts?.first ?? "").utf8))
    #expect(information["apiVersion"]?.stringValue == Self.v1)
    #expect(information["kind"]?.stringValue == "ExecCredential")
    #expect(information["spec"] == ["interactive": false, "cluster": cluster])
    #expect(parts?.dropFirst().map(String.init) == ["fine", ""])
  }

  @Test("what goes wrong is said with the program's own words, and never with its secrets")
  func failures() async {
    #expect(await error(plugin("echo 'not logged in' >&2; exit 1")).contains("status 1: not logged in"))
    #expect(await error(plugin("kill -9 $$")).contains("status 137"))
    #expect(await error(plugin("echo secret")).contains("did not write the JSON of an ExecCredential"))
    #expect(await error(plugin(answer(#"{"token":"secret"}"#, version: "other"))).contains("apiVersion other"))
    #expect(await error(plugin(answer("{}"))).contains("without status.token"))
    #expect(await error(plugin(answer(#"{"token":"secret","clientKeyData":"secret"}"#))).contains("go together"))
    #expect(
      await error(plugin(answer(#"{"token":"secret","expirationTimestamp":"soon"}"#))).contains("RFC 3339"))
    #expect(await error(plugin("head -c 2000000 /dev/zero; sleep 50")).contains("wrote more than 1048576 bytes"))
    for script in ["echo secret", answer(#"{"token":"secret","clientKeyData":"secret"}"#)] {
      #expect(!(await error(plugin(script))).contains("secret"))
    }
    var missing = plugin("")
    missing.command = "pilotlight-has-no-such-plugin"
    missing.installHint = "brew install it"
    #expect(await error(missing).contains("is not found: brew install it"))
    #expect(!"\(Credential(token: "secret")) \(String(reflecting: Credential(token: "secret")))".contains("secret"))
  }

  @Test(
    "a program that takes too long is ended with all that it started; what a child of it keeps open is not waited for")
  func slow() {
    let failure = #expect(throws: BoundedProcess.Failure.self) {
      try BoundedProcess(
        running: ["sh", "-c", "sleep 100 & sleep 100"], environment: [:], timeLimit: .milliseconds(200), outputLimit: 10
      )
    }
    #expect(failure == .tooSlow)
    let done = try? BoundedProcess(
      running: ["sh", "-c", "sleep 5 & echo ok"], environment: [:], timeLimit: .seconds(4), outputLimit: 10)
    #expect(done?.standardOutput == Array("ok\n".utf8))
  }

  @Test("many who ask at once share one run, and a cancelled one does not wait for it")
  func sharesRuns() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "pilotlight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.path(percentEncoded: false)
    let script = #"""
      echo run >> \#(path)/runs; read line < \#(path)/go; \#(answer(#"{"token":"t"}"#))
      """#
    #expect(mkfifo("\(path)/go", 0o600) == 0)
    let source = ExecCredentials(plugin(script))
    let asking = (0..<20).map { _ in Task { try await source.credential() } }
    let impatient = Task { try await source.credential() }
    impatient.cancel()
    await #expect(throws: CancellationError.self) { try await impatient.value }
    // Opening the pipe waits for the program at its other end.
    let pipe = open("\(path)/go", O_WRONLY | O_CLOEXEC)
    #expect(write(pipe, "go\n", 3) == 3)
    close(pipe)
    for task in asking { #expect(try await task.value.token == "t") }
    #expect(try Data(contentsOf: folder.appending(path: "runs")).count == "run\n".utf8.count)
  }
}

@Suite struct ExecCredentialCacheTests {
  private static let one = Credential(token: "one")
  private static let two = Credential(token: "two")
  private static let error = TransportError(.invalidRequest, "no")

  private func cache(_ credential: Credential = one, life: Duration? = nil) -> ExecCredentialCache {
    var cache = ExecCredentialCache()
    #expect(cache.step(now: .zero) == .run)
    cache.ran(.success(.init(credential: credential, life: life)), now: .zero)
    return cache
  }

  @Test("a credential is used until shortly before its end; without an end, for ever")
  func expires() {
    var lasting = cache()
    #expect(lasting.step(now: .seconds(1_000_000)) == .use(Self.one))
    var hour = cache(life: .seconds(3600))
    #expect(hour.step(now: .seconds(3589)) == .use(Self.one))
    #expect(hour.step(now: .seconds(3590)) == .run)
    var short = cache(life: .seconds(20))
    #expect(short.step(now: .seconds(17)) == .use(Self.one))
    #expect(short.step(now: .seconds(18)) == .run)
    // One that is over when it comes does not make a circle.
    var over = cache(life: .seconds(-5))
    #expect(over.step(now: .milliseconds(999)) == .use(Self.one))
    #expect(over.step(now: .seconds(1)) == .run)
  }

  @Test("a refusal has it fetched anew, but not in a circle, and an old refusal says nothing about a new one")
  func refused() {
    var cache = cache()
    cache.invalidate(Self.one)
    #expect(cache.step(now: .seconds(9)) == .use(Self.one))
    #expect(cache.step(now: .seconds(10)) == .run)
    cache.ran(.success(.init(credential: Self.two)), now: .seconds(10))
    cache.invalidate(Self.one)
    #expect(cache.step(now: .seconds(100)) == .use(Self.two))
  }

  @Test("failures in a row are told for longer and longer before the next run")
  func fails() {
    var cache = ExecCredentialCache()
    var now: Duration = .zero
    for pause in [1, 2, 4, 8, 16, 30, 30] {
      #expect(cache.step(now: now) == .run)
      cache.ran(.failure(Self.error), now: now)
      #expect(cache.step(now: now + .seconds(pause) - .milliseconds(1)) == .fail(Self.error))
      now += .seconds(pause)
    }
    cache.ran(.success(.init(credential: Self.one)), now: now)
    #expect(cache.step(now: now) == .use(Self.one))
  }
}
