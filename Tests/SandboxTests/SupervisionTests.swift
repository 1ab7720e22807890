import CLinux
import FoundationEssentials
import Glibc
import KubernetesAPI
import KubernetesClient
import Testing

@testable import Sandbox

@Suite("The sandbox's own processes", .timeLimit(.minutes(1)))
struct SupervisionTests {
  private static let gateway: @Sendable (SandboxConfiguration.GatewayPlace) -> [String] = { place in
    ["python3", "-m", "http.server", "\(place.httpPort)", "--bind", "127.0.0.1"]
  }

  private func description(_ sandbox: RunningSandbox) throws -> JSONValue {
    try JSONValue(parsing: Array(try #require(FileManager.default.contents(atPath: "\(sandbox.folder)/sandbox.json"))))
  }

  @Test("each gateway has a slice of its own, which is empty while the process is away, and comes back")
  func gateways() async throws {
    try await RunningSandbox.run {
      $0.gatewayCount = 2
      $0.gatewayCommand = Self.gateway
    } _: { sandbox in
      let slices = try await sandbox.client.list(.endpointSlices, namespace: "pilotlight-system").items.map(
        EndpointSlice.init)
      #expect(slices.map(\.serviceName) == ["pilotlight-gateway", "pilotlight-gateway"])
      #expect(slices.allSatisfy { $0.endpoints.map(\.isReady) == [true] && Set($0.ports.keys) == ["http", "admin"] })
      let pid = try #require(try description(sandbox)["gateways"]?[1]?["pid"]?.intValue)
      let events = sandbox.client.watch(
        .endpointSlices, namespace: "pilotlight-system", fieldSelector: "metadata.name=pilotlight-gateway-1",
        resourceVersion: "", bookmarks: false)
      var seen: [Int] = []
      for try await event in events {
        guard case .added(let object) = event else {
          guard case .modified(let object) = event else { continue }
          seen.append(EndpointSlice(object).endpoints.count)
          if seen.count == 2 { break }
          continue
        }
        #expect(EndpointSlice(object).endpoints.count == 1)
        kill(Int32(pid), SIGKILL)
      }
      #expect(seen == [0, 1])
      let later = try description(sandbox)["gateways"]?[1]
      #expect(later?["restarts"]?.intValue == 1)
      #expect(later?["pid"]?.intValue != pid)
    }
  }

  @Test("a child that ends at once is named with its last words, and everything is taken down")
  func failure() async throws {
    let error = await #expect(throws: SandboxError.self) {
      try await RunningSandbox.run {
        $0.gatewayCommand = { _ in ["/bin/sh", "-c", "echo no cluster here >&2; exit 1"] }
      } _: { _ in
      }
    }
    let words = error?.description ?? "it started"
    #expect(words.hasPrefix("gateway-0 does not start: no cluster here (log: "))
  }

  @Test("a taken port is named, with what to do", arguments: ["--api-port", "--http-port"])
  func takenPort(option: String) async throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, length)
        _ = listen(descriptor, 1)
        _ = getsockname(descriptor, $0, &length)
      }
    }
    let port = Int(UInt16(bigEndian: address.sin_port))
    let error = await #expect(throws: SandboxError.self) {
      try await RunningSandbox.run {
        if option == "--api-port" { $0.apiPort = port } else { $0.httpPort = port }
        $0.gatewayCommand = Self.gateway
      } _: { _ in
      }
    }
    #expect(error?.description.contains("port \(port) on 127.0.0.1") == true)
    #expect(error?.description.contains(option) == true)
  }

  @Test("the kernel ends a child with the thread that started it")
  func deathOfTheParent() throws {
    let started = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    defer { started.deallocate() }
    started.pointee = 0
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { context in
        let command = ProcessCommand(arguments: ["sleep", "1000"], environment: [])
        var step = CL_SPAWN_FORK
        context?.assumingMemoryBound(to: Int32.self).pointee = SpawnRequest.spawn(
          path: "/bin/sleep", command, input: 0, output: 1, diesWithCaller: true, step: &step)
        return nil
      }, started)
    pthread_join(thread, nil)
    try #require(started.pointee > 0)
    var status: Int32 = 0
    while waitpid(started.pointee, &status, 0) < 0, cl_errno() == EINTR {}
    #expect(status & 0x7F == SIGKILL)
  }

  @Test("a child that ends soon is started again later and later; one that ran for a while at once")
  func restartDelay() {
    var delay = RestartDelay()
    let waits = (0..<8).map { _ in delay.after(running: .seconds(1)) }
    #expect(waits == [100, 200, 400, 800, 1600, 3200, 5000, 5000].map { .milliseconds($0) })
    #expect(delay.after(running: .seconds(10)) == .milliseconds(100))
  }
}
