import EventLoop
import HTTPWire

/// One attempt at a replica's health check. On the pool's loop.
struct HealthProbe {
  let pool: UpstreamPool
  let check: HealthGate.Check
  let tls: UpstreamTLSContexts

  /// Longest time for the whole attempt: connecting, and asking both paths.
  private static let timeout: Duration = .seconds(1)
  /// Longest answer that is read to its end, in bytes; a longer one costs its connection.
  private static let bodyLimit = 64 << 10

  /// What was found, and the connection that a check left behind for the first request, where it could.
  func run() async -> (ReplicaHealth, ByteChannel?) {
    let deadline = pool.loop.now + Self.timeout
    do {
      if let problem = try await readinessProblem(until: deadline) { return (.failing(problem: problem), nil) }
      switch check.healthCheck {
      case .connect:
        let connection = try await connect(until: deadline)
        guard let channel = connection.detach() else {
          connection.close()
          return (.passed, nil)
        }
        return (.passed, channel)
      case .get(let path, let whenNotFound):
        var (status, channel) = try await get(path, until: deadline)
        var asked = path
        if status == 404, let whenNotFound {
          channel?.close()
          (status, channel) = try await get(whenNotFound, until: deadline)
          asked = whenNotFound
        }
        guard (200..<300).contains(status) else {
          channel?.close()
          return (.failing(problem: "GET \(asked) answered \(status)"), nil)
        }
        return (.passed, channel)
      }
    } catch {
      return (.failing(problem: "\(error)"), nil)
    }
  }

  /// What the pod's own readiness probe found wrong; nil: nothing, or there is none to ask.
  private func readinessProblem(until deadline: Duration) async throws -> String? {
    guard let probe = check.readinessProbe else { return nil }
    let address = try SocketAddress(host: check.address.host, port: probe.port)
    let left = max(.zero, deadline - pool.loop.now)
    switch probe.action {
    case .connect:
      try await pool.connect(to: address, key: check.id.podUID, timeout: left).close()
      return nil
    case .get(let path, let headers, let isTLS):
      // The kubelet does not verify certificates either.
      let context = isTLS ? try tls.context(for: UpstreamTLS(verifies: false)) : nil
      let connection = try await pool.connect(to: address, key: check.id.podUID, tls: context, timeout: left)
      defer { connection.close() }
      var fields = FieldBlock([("User-Agent", "pilotlight-gateway"), ("Accept", "*/*")])
      if !headers.keys.contains(where: { $0.lowercased() == "host" }) { fields.append("Host", address.description) }
      for (name, value) in headers.sorted(by: { $0.key < $1.key }) { fields.append(name, value) }
      try await connection.send(head: RequestHeadBytes(method: "GET", target: path, fields: fields))
      let status = try await connection.readHead(timeout: deadline - pool.loop.now).status
      return (200..<400).contains(status) ? nil : "its readiness probe GET \(path) answered \(status)"
    }
  }

  private func connect(until deadline: Duration) async throws -> UpstreamConnection {
    try await pool.connect(
      to: check.address, key: check.id.podUID, tls: try tls.context(for: check.tls),
      timeout: max(.zero, deadline - pool.loop.now))
  }

  /// The status of the answer, and its connection if it can carry another request.
  private func get(_ path: String, until deadline: Duration) async throws -> (Int, ByteChannel?) {
    let connection = try await connect(until: deadline)
    let fields = FieldBlock([
      ("Host", check.address.description), ("User-Agent", "pilotlight-gateway"), ("Accept", "*/*"),
    ])
    do {
      try await connection.send(head: RequestHeadBytes(method: "GET", target: path, fields: fields))
      let head = try await connection.readHead(timeout: deadline - pool.loop.now)
      return (head.status, await finish(connection, until: deadline))
    } catch {
      connection.close()
      throw error
    }
  }

  /// Reads the rest of an answer whose status is known, and keeps the connection if that succeeds.
  private func finish(_ connection: UpstreamConnection, until deadline: Duration) async -> ByteChannel? {
    var left = Self.bodyLimit
    do {
      while left > 0,
        try await connection.readBody(
          idleTimeout: deadline - pool.loop.now, { left -= $0.count })
      {}
      if let channel = connection.detach() { return channel }
    } catch {
      // What its status said counts all the same.
    }
    connection.close()
    return nil
  }
}
