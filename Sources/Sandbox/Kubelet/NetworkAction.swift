import EventLoop
import HTTPWire

/// An `httpGet`, `tcpSocket` or `sleep` probe or hook, on a connection of its own.
enum NetworkAction {
  /// Calls `done` once on the kubelet's loop.
  static func run(
    _ action: ContainerAction, address: String, timeout: Duration, kubelet: Kubelet,
    done: @escaping (ProbeResult) -> Void
  ) {
    // The callback stays on the loop: the task runs there from its first line to its last.
    nonisolated(unsafe) let done = done
    let pool = kubelet.probes
    let loop = kubelet.loop
    Task(executorPreference: loop) {
      let result = await perform(action, address: address, timeout: timeout, pool: pool, loop: loop)
      done(result)
    }
  }

  private static func perform(
    _ action: ContainerAction, address: String, timeout: Duration, pool: UpstreamPool, loop: EventLoop
  ) async -> ProbeResult {
    do {
      switch action {
      case .httpGet(let host, let port, let path, let headers, let usesTLS):
        let target = try SocketAddress(host: host ?? address, port: port)
        // As the kubelet: an HTTPS probe does not verify the certificate.
        let connection = try await pool.connect(
          to: target, key: "probe", tls: usesTLS ? try TLSClientContext(trust: .anyone) : nil, timeout: timeout)
        defer { connection.close() }
        try await connection.send(head: head(path: path, host: "\(host ?? address):\(port)", headers: headers))
        let status = try await connection.readHead(timeout: timeout).status
        return (200..<400).contains(status) ? .success : .failure("HTTP probe failed with statuscode: \(status)")
      case .tcpSocket(let host, let port):
        let target = try SocketAddress(host: host ?? address, port: port)
        try await pool.connect(to: target, key: "probe", tls: nil, timeout: timeout).close()
        return .success
      case .sleep(let duration):
        try await loop.sleep(for: duration)
        return .success
      case .unsupported(let why): return .failure(why)
      case .exec: return .failure("a command is no network action")
      }
    } catch {
      return .failure("\(error)")
    }
  }

  private static func head(path: String, host: String, headers: [ContainerAction.HTTPField]) -> RequestHeadBytes {
    var fields = [("Host", host), ("User-Agent", "kube-probe/pilotlight"), ("Accept", "*/*"), ("Connection", "close")]
    for header in headers {
      fields.removeAll { $0.0.lowercased() == header.name.lowercased() }
      fields.append((header.name, header.value))
    }
    return RequestHeadBytes(method: "GET", target: path, fields: FieldBlock(fields))
  }
}
