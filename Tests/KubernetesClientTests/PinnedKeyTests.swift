import EventLoop
import FoundationEssentials
import KubernetesClient
import Synchronization
import Testing

@testable import CurlTransport

@Suite(.timeLimit(.minutes(1)))
struct PinnedKeyTests {
  private final class Count: Sendable {
    let value = Atomic(0)
  }

  /// A server on a free port, or on that one, which counts its requests.
  private final class Server: Sendable {
    let address: SocketAddress
    let requests = Count()
    private let loop: EventLoop
    private let server: HTTPServer

    init(_ identity: PinnedServer, at port: Int = 0) throws {
      loop = try EventLoop(name: "pinned")
      loop.start()
      var configuration = HTTPServerConfiguration(address: try SocketAddress(host: "127.0.0.1", port: port))
      configuration.tls = identity.tls
      server = HTTPServer(loop: loop, configuration: configuration) { [requests] exchange in
        requests.value.add(1, ordering: .relaxed)
        try? await exchange.respond(status: 200, headers: [], body: Array("here".utf8))
      }
      address = try server.start()
    }

    func stop() async {
      await server.shutDown(graceful: .zero)
      loop.stop()
    }
  }

  private static func pin(_ server: PinnedServer) -> String {
    "sha256//" + Data(server.publicKeyDigest).base64EncodedString()
  }

  private static func ask(
    _ driver: CurlDriver, _ server: Server, _ pin: String
  ) async -> Result<Int, TransportError> {
    let request = CurlRequest(
      url: "https://\(server.address)/", tls: CurlTLS(pinnedPublicKey: pin), timeout: .seconds(30))
    do { return .success(try await driver.send(request).head.status) } catch let error as TransportError {
      return .failure(error)
    } catch {
      return .failure(TransportError(.closed, "\(error)"))
    }
  }

  @Test("A server is known by its key, whatever its certificate says; an expired one, too", arguments: [86_400, -60])
  func known(validity: Int) async throws {
    let identity = try PinnedServer(name: "gateway-0", validity: .seconds(validity))
    let server = try Server(identity)
    let driver = try CurlDriver()
    let status = try await Self.ask(driver, server, Self.pin(identity)).get()
    #expect(status == 200)
    // By its certificate nobody knows it.
    await #expect(throws: TransportError.self) {
      _ = try await driver.send(CurlRequest(url: "https://\(server.address)/"))
    }
    await server.stop()
  }

  @Test("A server with another key gets no request, and says so; a connection to the right one changes nothing")
  func wrongKey() async throws {
    let identity = try PinnedServer(name: "gateway-0")
    let other = try PinnedServer(name: "gateway-0")
    #expect(identity.publicKeyDigest != other.publicKeyDigest)
    let server = try Server(identity)
    let driver = try CurlDriver()
    for _ in 0..<2 {
      _ = try await Self.ask(driver, server, Self.pin(identity)).get()
      guard case .failure(let error) = await Self.ask(driver, server, Self.pin(other)) else {
        Issue.record("the wrong key was taken")
        return
      }
      #expect(error.code == .wrongKey && error.message.contains("public key"), "\(error)")
    }
    #expect(server.requests.value.load(ordering: .relaxed) == 2)
    await server.stop()
  }

  @Test("A process that starts again at the same address has another key: the old one is not taken any more")
  func rotated() async throws {
    let driver = try CurlDriver()
    let first = try PinnedServer(name: "gateway-0")
    let before = try Server(first)
    _ = try await Self.ask(driver, before, Self.pin(first)).get()
    let port = before.address.port
    await before.stop()
    let second = try PinnedServer(name: "gateway-0")
    let after = try Server(second, at: port)
    guard case .failure(let error) = await Self.ask(driver, after, Self.pin(first)) else {
      Issue.record("the old key was taken")
      return
    }
    #expect(error.code == .wrongKey, "\(error)")
    let status = try await Self.ask(driver, after, Self.pin(second)).get()
    #expect(status == 200)
    await after.stop()
  }
}
