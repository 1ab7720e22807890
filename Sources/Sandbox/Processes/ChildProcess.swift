import CLinux
import EventLoop
import Glibc

/// A running child: leader of its own session, killed by the kernel when the loop's thread ends.
///
/// Confined to its loop, on which both callbacks run. Its watches keep it alive until it has ended, so that no child is left
/// unreaped.
final class ChildProcess {
  let pid: Int32
  private let loop: EventLoop
  private let onOutput: (ArraySlice<UInt8>) -> Void
  private let onExit: (_ code: Int, _ signal: Int) -> Void
  private let reaper: Reaper?
  private var exitWatch: DescriptorWatch?
  private var outputWatch: DescriptorWatch?
  private var hasExited = false

  /// Starts a program with both outputs in one pipe. Call on the loop.
  /// - Parameters:
  ///   - reaper: is told of the new group, so that it dies with the sandbox in any case.
  ///   - onExit: exit code, or the signal that ended it; after all output that was there.
  init(
    _ command: ProcessCommand, loop: EventLoop, reaper: Reaper?, onOutput: @escaping (ArraySlice<UInt8>) -> Void,
    onExit: @escaping (_ code: Int, _ signal: Int) -> Void
  ) throws(ProcessCommand.Failure) {
    precondition(loop.isCurrent, "the kernel ends a child with the thread that started it")
    self.loop = loop
    self.reaper = reaper
    self.onOutput = onOutput
    self.onExit = onExit
    let path = try command.resolvedPath()
    var reading: Int32 = -1
    var writing: Int32 = -1
    let failure = cl_pipe(&reading, &writing)
    guard failure == 0 else { throw .init(description: "pipe: \(SystemError.text(-failure))") }
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer {
      close(null)
      close(writing)
    }
    var step = CL_SPAWN_FORK
    let result = SpawnRequest.spawn(
      path: path, command, input: null, output: writing, diesWithCaller: true, step: &step)
    guard result > 0 else {
      close(reading)
      throw Self.failure(-result, step: step, path: path, directory: command.directory)
    }
    pid = result
    reaper?.add(result)
    outputWatch = watch(reading) { self.readOutput(limit: 4) }
    let exit = cl_pidfd_open(result)
    exitWatch = exit >= 0 ? watch(exit) { self.exited() } : nil
    // A kernel without pidfd (before 5.3), or one that is out of descriptors: asked every so often.
    if exitWatch == nil { pollForExit() }
  }

  /// Sends a signal to every process of the group.
  func signal(_ number: Int32) {
    if !hasExited { kill(-pid, number) }
  }

  /// Kills everything that belongs to the child: its group, its session, and whatever carries `marker` in its environment.
  func killAll(marker: String?) {
    if !hasExited { kill(-pid, SIGKILL) }
    ProcessTree.kill(session: pid, marker: marker)
  }

  private func watch(_ descriptor: Int32, _ onReady: @escaping () -> Void) -> DescriptorWatch? {
    do {
      return try loop.watch(descriptor, onReady: onReady)
    } catch {
      close(descriptor)
      return nil
    }
  }

  private func pollForExit() {
    guard !hasExited else { return }
    exited()
    _ = loop.schedule(after: .milliseconds(20)) { self.pollForExit() }
  }

  /// Reads at most so many buffers, so that a chatty child leaves the loop to others.
  private func readOutput(limit: Int) {
    guard let outputWatch else { return }
    for _ in 0..<limit {
      let piece = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
        count = max(0, read(outputWatch.descriptor, buffer.baseAddress, buffer.count))
      }
      // Nothing more for now, or the end, which the exit confirms.
      if piece.isEmpty { return }
      onOutput(piece[...])
    }
    // Edges are not repeated: look again by ourselves.
    _ = loop.schedule(after: .zero) { self.readOutput(limit: limit) }
  }

  private func exited() {
    var code: Int32 = 0
    var signal: Int32 = 0
    guard !hasExited, cl_reap(pid, &code, &signal) != 0 else { return }
    readOutput(limit: 64)
    hasExited = true
    reaper?.remove(pid)
    outputWatch?.close()
    outputWatch = nil
    exitWatch?.close()
    exitWatch = nil
    onExit(Int(code), Int(signal))
  }

  private static func failure(
    _ code: Int32, step: cl_spawn_step, path: String, directory: String?
  ) -> ProcessCommand.Failure {
    switch step {
    case CL_SPAWN_DIRECTORY: .init(description: "chdir \"\(directory ?? "")\": \(SystemError.text(code))")
    case CL_SPAWN_EXEC: .init(description: "exec: \"\(path)\": \(SystemError.text(code))")
    default: .init(description: "fork: \(SystemError.text(code))")
    }
  }
}

/// Texts of system errors.
enum SystemError {
  static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
