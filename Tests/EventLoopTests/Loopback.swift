import HTTPWire
import Testing

@testable import EventLoop

/// How long a test waits for what should come at once, on a machine that may be busy or under a sanitizer.
private let patience: Duration = .seconds(30)

/// A loop with a server on a free loopback port and a pool to call it with; everything ends with `client`.
func withServer(
  _ configuration: HTTPServerConfiguration? = nil,
  handler: @escaping @Sendable (HTTPExchange) async -> Void,
  client: @escaping @Sendable (Loopback) async throws -> Void
) async throws {
  let loop = try EventLoop(name: "test")
  loop.start()
  defer { loop.stop() }
  let server = HTTPServer(loop: loop, configuration: try configuration ?? .loopback(), handler: handler)
  let address = try server.start()
  let loopback = Loopback(loop: loop, server: server, address: address, pool: UpstreamPool(loop: loop))
  try await Task(executorPreference: loop) { try await client(loopback) }.value
}

extension HTTPServerConfiguration {
  static func loopback(_ change: (inout HTTPServerConfiguration) -> Void = { _ in }) throws -> HTTPServerConfiguration {
    var configuration = HTTPServerConfiguration(address: try SocketAddress(parsing: "127.0.0.1:0"))
    change(&configuration)
    return configuration
  }
}

struct Loopback: Sendable {
  let loop: EventLoop
  let server: HTTPServer
  let address: SocketAddress
  let pool: UpstreamPool

  func connect(tls: TLSClientContext? = nil) async throws -> UpstreamConnection {
    try await pool.connect(to: address, key: "server", tls: tls, timeout: patience)
  }

  /// Sends one request and reads the whole answer.
  func call(
    _ method: String, _ target: String, body: [UInt8]? = nil, tls: TLSClientContext? = nil
  ) async throws -> (head: ResponseHead, body: [UInt8], isReused: Bool) {
    let connection = try await connect(tls: tls)
    let head = RequestHeadBytes(
      method: method, target: target, fields: FieldBlock([("Host", "test")]),
      framing: body.map { .length($0.count) } ?? .none)
    try await connection.send(head: head)
    if let body { try await connection.sendBody(body) }
    let answer = try await connection.readHead(timeout: patience)
    let bytes = try await connection.wholeBody()
    let isReused = connection.isReused
    pool.release(connection)
    return (answer, bytes, isReused)
  }

  /// Sends raw bytes on a connection of its own and reads until the server closes it.
  func exchangeRaw(_ pieces: [[UInt8]], endsSending: Bool = false) async throws -> String {
    let channel = try ByteChannel(
      loop: loop, descriptor: try Socket.connect(to: address), tls: nil, isConnected: false, writeTimeout: patience)
    defer { channel.close() }
    while !channel.isWritable { try await channel.waitWritable(until: nil) }
    for piece in pieces {
      channel.enqueue { $0.append(contentsOf: piece) }
      channel.flush()
      await Task.yield()
    }
    if endsSending { Socket.shutDownWriting(channel.descriptor) }
    var received: [UInt8] = []
    while true {
      switch try channel.receive() {
      case .bytes(let count): received.append(contentsOf: loop.receiveBuffer[..<count])
      case .end: return String(decoding: received, as: UTF8.self)
      case .wouldBlock: try await channel.waitReadable(until: loop.now + patience)
      }
    }
  }
}

extension UpstreamConnection {
  func wholeBody() async throws -> [UInt8] {
    var whole: [UInt8] = []
    while let piece = try await readBody(idleTimeout: patience) { whole.append(contentsOf: piece) }
    return whole
  }
}

/// Answers with the request's body, piece by piece.
let echo: @Sendable (HTTPExchange) async -> Void = { exchange in
  do {
    try await exchange.startResponse(
      status: 200, headers: [("X-Path", exchange.path)], contentLength: exchange.contentLength)
    while let piece = try await exchange.readBody() { try await exchange.write(piece) }
    try await exchange.finish()
  } catch {
    exchange.abort()
  }
}
