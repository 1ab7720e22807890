import EventLoop
import Glibc

/// An `exec` probe or hook: a command beside the container's process, in its environment.
enum ExecAction {
  /// What is kept of the output for messages.
  private static let outputLimit = 4096

  /// Calls `done` once: success for exit code 0.
  static func run(
    _ command: ProcessCommand, timeout: Duration, loop: EventLoop, reaper: Reaper?,
    done: @escaping (ProbeResult) -> Void
  ) {
    let run = Run()
    do {
      run.process = try ChildProcess(
        command, loop: loop, reaper: reaper,
        onOutput: { bytes in run.output += bytes.prefix(max(0, outputLimit - run.output.count)) },
        onExit: { code, signal in
          if let timer = run.timer { loop.cancel(timer) }
          run.process?.killAll(marker: nil)
          run.process = nil
          let text = String(decoding: run.output, as: UTF8.self)
          if run.isTimedOut {
            done(.failure("command timed out after \(timeout.kubernetesText)"))
          } else if code == 0, signal == 0 {
            done(.success)
          } else {
            done(
              .failure(text.isEmpty ? "command terminated with exit code \(signal == 0 ? code : 128 + signal)" : text))
          }
        })
      run.timer = loop.schedule(after: timeout) {
        run.timer = nil
        run.isTimedOut = true
        run.process?.killAll(marker: nil)
      }
    } catch {
      done(.failure(error.description))
    }
  }

  /// Keeps the process until it has ended.
  private final class Run {
    var process: ChildProcess?
    var output: [UInt8] = []
    var timer: TimerID?
    var isTimedOut = false
  }
}
