import EventLoop
import HTTPWire

/// One attempt at a replica's health check. On the pool's loop.
struct HealthProbe {
  let pool: UpstreamPool
  let check: HealthGate.Check

  /// Longest time for the whole attempt: connecting, and asking both paths.
  private static let timeout: Duration = .seconds(1)
  /// Longest answer that is read to its end, in bytes; a longer one costs its connection.
  private static let bodyLimit = 64 << 10

  func run() async -> ReplicaHealth {
    let deadline = pool.loop.now + Self.timeout
    do {
      switch check.healthCheck {
      case .connect:
        try await connect(until: deadline).close()
        return .passed
      case .get(let path, let whenNotFound):
        let status = try await get(path, until: deadline)
        guard status == 404, let whenNotFound else { return Self.health(path, status) }
        return Self.health(whenNotFound, try await get(whenNotFound, until: deadline))
      }
    } catch {
      return .failing(problem: "\(error)")
    }
  }

  private static func health(_ path: String, _ status: Int) -> ReplicaHealth {
    (200..<300).contains(status) ? .passed : .failing(problem: "GET \(path) answered \(status)")
  }

  private func connect(until deadline: Duration) async throws -> UpstreamConnection {
    try await pool.connect(
      to: check.address, key: check.id.podUID, tls: nil, timeout: max(.zero, deadline - pool.loop.now))
  }

  /// The status of the answer. Its connection is left to the first request, where it can be.
  private func get(_ path: String, until deadline: Duration) async throws -> Int {
    let connection = try await connect(until: deadline)
    let fields = FieldBlock([
      ("Host", check.address.description), ("User-Agent", "pilotlight-gateway"), ("Accept", "*/*"),
    ])
    do {
      try await connection.send(head: RequestHeadBytes(method: "GET", target: path, fields: fields))
      let head = try await connection.readHead(timeout: deadline - pool.loop.now)
      await finish(connection, until: deadline)
      return head.status
    } catch {
      connection.close()
      throw error
    }
  }

  /// Reads the rest of an answer whose status is known, and keeps the connection if that succeeds.
  private func finish(_ connection: UpstreamConnection, until deadline: Duration) async {
    var left = Self.bodyLimit
    do {
      while left > 0,
        try await connection.readBody(
          idleTimeout: deadline - pool.loop.now, { left -= $0.count })
      {}
      pool.release(connection)
    } catch {
      connection.close()
    }
  }
}
