import EventLoop
import FoundationEssentials
import Glibc
import Telemetry

/// The wait before a child that ended is started again: 100 ms, doubled up to 5 s, from the start after 10 s of running.
struct RestartDelay: Sendable {
  private var next = Duration.milliseconds(100)

  mutating func after(running time: Duration) -> Duration {
    if time >= .seconds(10) { next = .milliseconds(100) }
    defer { next = min(next * 2, .seconds(5)) }
    return next
  }
}

/// A part of Pilotlight that runs beside the sandbox and is started again whenever it ends: the controller, a gateway.
///
/// Confined to the sandbox's loop.
final class SupervisedProcess {
  /// A log of this size is set aside as `PATH.1`.
  static let rotationSize = 64 << 20

  let name: String
  let logPath: String
  /// Called after each start and end.
  var onChange: () -> Void = {}
  private(set) var restarts = 0
  private let command: ProcessCommand
  private let loop: EventLoop
  private let reaper: Reaper?
  private let log: Log
  private var process: ChildProcess?
  private var delay = RestartDelay()
  private var startedAt = Duration.zero
  private var isStopping = false
  private var onStopped: (() -> Void)?
  private var file: Int32 = -1
  private var fileSize = 0
  private var tail: [UInt8] = []

  init(name: String, command: ProcessCommand, logPath: String, loop: EventLoop, reaper: Reaper?, log: Log) {
    self.name = name
    self.command = command
    self.logPath = logPath
    self.loop = loop
    self.reaper = reaper
    self.log = log.with("process", name)
  }

  deinit { if file >= 0 { close(file) } }

  /// Nil while it does not run.
  var pid: Int? { process.map { Int($0.pid) } }

  /// The end of what it wrote.
  var lastWords: String { String(decoding: tail, as: UTF8.self) }

  func start() {
    if file < 0 { file = openLog() }
    startedAt = loop.now
    do {
      process = try ChildProcess(
        command, loop: loop, reaper: reaper, onOutput: { [weak self] in self?.write($0) },
        onExit: { [weak self] code, signal in self?.exited(code, signal) })
      log.info("started", ["pid": pid ?? 0])
    } catch {
      write(Array("\(error)\n".utf8)[...])
      log.error("cannot start", ["error": error.description])
      restartLater()
    }
    onChange()
  }

  /// SIGTERM, then SIGKILL after the grace; `done` when it has ended.
  func stop(grace: Duration, _ done: @escaping () -> Void) {
    isStopping = true
    guard let process else { return done() }
    onStopped = done
    process.signal(SIGTERM)
    _ = loop.schedule(after: grace) { [weak self] in self?.process?.killAll(marker: nil) }
  }

  private func exited(_ code: Int, _ signal: Int) {
    process?.killAll(marker: nil)
    process = nil
    onChange()
    if isStopping {
      onStopped?()
      onStopped = nil
      return
    }
    log.warning("ended", ["exitCode": code, "signal": signal])
    restartLater()
  }

  private func restartLater() {
    restarts += 1
    _ = loop.schedule(after: delay.after(running: loop.now - startedAt)) { [weak self] in
      guard let self, !isStopping else { return }
      start()
    }
  }

  private func write(_ bytes: ArraySlice<UInt8>) {
    tail += bytes.suffix(2048)
    if tail.count > 2048 { tail.removeFirst(tail.count - 2048) }
    if fileSize > Self.rotationSize { rotate() }
    // A full disk loses log lines, nothing else.
    fileSize += max(0, bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) })
  }

  private func rotate() {
    close(file)
    rename(logPath, logPath + ".1")
    file = openLog()
    fileSize = 0
  }

  private func openLog() -> Int32 { open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) }
}
