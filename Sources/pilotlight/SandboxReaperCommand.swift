import Glibc
import Sandbox

/// `pilotlight sandbox-reaper MARKER`: started by the sandbox, not by people. Kills what is left when the sandbox is gone.
enum SandboxReaperCommand {
  static func run(_ arguments: [String]) async -> Int32 {
    ReaperProcess.run(input: STDIN_FILENO, marker: arguments.first ?? "")
    return 0
  }
}
