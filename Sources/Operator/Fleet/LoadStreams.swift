import ControllerRuntime
import FleetProtocol
import KubernetesAPI
import Synchronization
import Telemetry

/// Keeps one load stream open to every gateway, and tells who needs a decision.
final class LoadStreams: Sendable {
  /// Waits between attempts: 100 ms, doubling, at most 3 s: a gateway that comes back must not wait long for its leader.
  static let backoff = (base: Duration.milliseconds(100), ceiling: Duration.seconds(3))

  /// A gateway sends a snapshot each second: a connection that is silent for so long is dead.
  static let patience: Duration = .seconds(10)

  private let source: any GatewayTransport
  private let state: ControllerState
  private let clock: any ClockSource
  private let log: Log
  private let target: @Sendable (String) -> GatewayTarget
  private let urgent: @Sendable (Set<ObjectKey>) -> Void
  private let heard: @Sendable (LoadSnapshot, String) -> Void
  private let readers = Mutex<[String: Task<Void, Never>]>([:])
  private let isRunning = Mutex(false)

  /// - Parameters:
  ///   - target: how to talk to the gateway at an address, at this moment: its key may have changed since the last attempt.
  ///   - urgent: takes the services that need a decision now.
  ///   - heard: takes every snapshot, with the address it came from.
  init(
    source: any GatewayTransport, state: ControllerState, clock: any ClockSource, log: Log,
    target: @escaping @Sendable (String) -> GatewayTarget,
    urgent: @escaping @Sendable (Set<ObjectKey>) -> Void, heard: @escaping @Sendable (LoadSnapshot, String) -> Void
  ) {
    self.source = source
    self.state = state
    self.clock = clock
    self.log = log
    self.target = target
    self.urgent = urgent
    self.heard = heard
  }

  /// Sets which gateways there are; streams of those that have left end.
  func setGateways(_ gateways: [String: Bool]) {
    urgent(state.withLock { $0.board.setGateways(gateways) })
    guard isRunning.withLock({ $0 }) else { return }
    readers.withLock { readers in
      for address in readers.keys.sorted() where gateways[address] == nil {
        readers.removeValue(forKey: address)?.cancel()
      }
      for address in gateways.keys.sorted() where readers[address] == nil {
        readers[address] = Task { await self.follow(address) }
      }
    }
  }

  /// Reads until it is cancelled.
  /// - Parameter gateways: which there are at this moment.
  func run(gateways: @Sendable () -> [String: Bool]) async throws {
    isRunning.withLock { $0 = true }
    setGateways(gateways())
    defer {
      isRunning.withLock { $0 = false }
      readers.withLock { readers in
        for address in readers.keys.sorted() { readers[address]?.cancel() }
        readers = [:]
      }
    }
    // The readers do the work; this waits for the end.
    while true { try await clock.sleep(for: .seconds(3600)) }
  }

  private func follow(_ address: String) async {
    var wait = Self.backoff.base
    var said: String?
    while !Task.isCancelled {
      let begun = clock.now().monotonic
      do {
        try await readWatched(address)
      } catch {
        // Each reason once, not with each attempt.
        if !Task.isCancelled, said != "\(error)" {
          said = "\(error)"
          log.info("load stream ended", ["gateway": address, "error": "\(error)"])
        }
      }
      let last = state.withLock { contents in
        contents.board.disconnected(address)
        return contents.board.lastSnapshot(from: address)
      }
      if let last, last >= begun {
        wait = Self.backoff.base
        said = nil
      }
      do { try await clock.sleep(for: wait) } catch { return }
      wait = min(Self.backoff.ceiling, wait * 2)
    }
  }

  /// Reads until the stream ends, or has been silent for so long that the connection must be dead.
  private func readWatched(_ address: String) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.read(address) }
      group.addTask {
        var since = self.clock.now().monotonic
        while true {
          try await self.clock.sleep(for: Self.patience)
          let last = self.state.withLock { $0.board.lastSnapshot(from: address) }
          guard let last, last > since else { throw Silence() }
          since = last
        }
      }
      try await group.next()
      group.cancelAll()
    }
  }

  private struct Silence: Error, CustomStringConvertible {
    var description: String { "no snapshot for \(LoadStreams.patience)" }
  }

  private func read(_ address: String) async throws {
    let stream = try await source.open(LoadSnapshot.path, at: target(address))
    var splitter = FleetProtocol.LineSplitter()
    for try await piece in stream {
      for line in try splitter.append(piece) {
        let snapshot = try LoadSnapshot(line: line)
        let now = clock.now()
        let keys = state.withLock { $0.record(snapshot, from: address, now: now) }
        if !keys.isEmpty { urgent(keys) }
        heard(snapshot, address)
      }
    }
  }
}
