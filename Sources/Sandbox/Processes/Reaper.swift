import CLinux
import Glibc

/// The sandbox's end of its reaper: a process of its own that learns which process groups exist, and kills them all when the
/// pipe to it closes. So nothing outlives the sandbox, even when that is killed with SIGKILL.
///
/// Confined to the sandbox's loop.
final class Reaper {
  /// What the processes of this sandbox carry in their environment, so that those in groups of their own are found too.
  let marker: String
  private var descriptor: Int32
  private var pid: Int32

  /// Starts the helper. Without one (nil command) only the kernel's parent-death signal is left, which grandchildren outlive.
  init(command: [String]?, marker: String) throws(ProcessCommand.Failure) {
    self.marker = marker
    descriptor = -1
    pid = -1
    guard let command else { return }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .init(description: "pipe: \(SystemError.text(cl_errno()))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
    defer {
      close(ends[0])
      close(null)
    }
    // Without the marker: it must not find itself.
    let process = ProcessCommand(arguments: command + [marker], environment: [])
    var step = CL_SPAWN_FORK
    let path = try process.resolvedPath()
    let result = SpawnRequest.spawn(
      path: path, process, input: ends[0], output: null, diesWithCaller: false, step: &step)
    guard result > 0 else {
      close(ends[1])
      throw .init(description: "reaper \(path): \(SystemError.text(-result))")
    }
    pid = result
    descriptor = ends[1]
  }

  /// A group that must not outlive the sandbox.
  func add(_ group: Int32) { send("+\(group)\n") }

  /// A group that is gone; its number may be used again by others.
  func remove(_ group: Int32) { send("-\(group)\n") }

  /// Lets the helper kill what is left, and waits for it.
  func finish() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, cl_errno() == EINTR {}
  }

  private func send(_ line: String) {
    guard descriptor >= 0 else { return }
    let bytes = Array(line.utf8)
    // Shorter than PIPE_BUF: written whole or not at all.
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }
}

/// The helper's side.
public enum ReaperProcess {
  /// Reads `+GROUP` and `-GROUP` lines from a descriptor; at its end kills the groups that are left and every process that carries
  /// `marker` in its environment.
  public static func run(input: Int32, marker: String) {
    // Ctrl-C and a closed terminal are for the sandbox; this one goes when that is gone.
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
    var groups: Set<Int32> = []
    var carry: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(input, $0.baseAddress, $0.count) }
      if count < 0, cl_errno() == EINTR { continue }
      guard count > 0 else { break }
      carry += buffer[0..<count]
      while let newline = carry.firstIndex(of: UInt8(ascii: "\n")) {
        apply(String(decoding: carry[..<newline], as: UTF8.self), to: &groups)
        carry.removeFirst(newline + 1)
      }
    }
    for group in groups.sorted() { kill(-group, SIGKILL) }
    for group in groups.sorted() { ProcessTree.kill(session: group, marker: nil) }
    // A session number never equals -1: by the marker alone.
    if !marker.isEmpty { ProcessTree.kill(session: -1, marker: marker) }
  }

  static func apply(_ line: String, to groups: inout Set<Int32>) {
    guard let group = Int32(line.dropFirst()), group > 1 else { return }
    if line.hasPrefix("+") { groups.insert(group) } else if line.hasPrefix("-") { groups.remove(group) }
  }
}
