import CLinux
import Glibc

/// Runs another program to its end, within a time and an amount of output, and keeps what it wrote. Blocks its thread.
struct BoundedProcess {
  enum Failure: Error, Hashable {
    /// With the errno: ENOENT, EACCES …
    case notStarted(Int32)
    case tooSlow
    case tooMuchOutput
  }

  /// Exit status, or 128 plus the signal that ended it.
  var status: Int32
  var standardOutput: [UInt8]
  var standardError: [UInt8]

  /// How often a program is looked at that has closed its outputs, or left them to others.
  private static let lookMilliseconds: Int32 = 50

  /// Runs `arguments[0]`, found on PATH, without a shell and without input, in a process group of its own.
  /// - Parameters:
  ///   - environment: added to this process's own.
  ///   - outputLimit: bytes of its standard output, and of its standard error.
  init(
    running arguments: [String], environment: [String: String], timeLimit: Duration, outputLimit: Int
  ) throws(Failure) {
    let deadline = MonotonicClock.now + timeLimit
    let (pid, pipes) = try Self.spawn(arguments, environment)
    var outputs: [[UInt8]] = [[], []]
    var descriptors = pipes.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var raw: Int32?
    defer { for descriptor in descriptors where descriptor.fd >= 0 { close(descriptor.fd) } }
    while true {
      let hasEnded = raw != nil
      let count = Self.read(&descriptors, into: &outputs, wait: hasEnded ? 0 : Self.lookMilliseconds)
      // What it had written before its end is read by now; what others hold open is not waited for.
      if hasEnded, count == 0 { break }
      if let problem = Self.problem(outputs, outputLimit, deadline) {
        Self.end(pid, isReaped: hasEnded)
        throw problem
      }
      if raw == nil { raw = Self.reap(pid, options: WNOHANG) }
    }
    let code = raw ?? 0
    status = code & 0x7F == 0 ? (code >> 8) & 0xFF : 128 + (code & 0x7F)
    (standardOutput, standardError) = (outputs[0], outputs[1])
  }

  private static func problem(_ outputs: [[UInt8]], _ limit: Int, _ deadline: Duration) -> Failure? {
    if outputs.contains(where: { $0.count > limit }) { return .tooMuchOutput }
    return MonotonicClock.now >= deadline ? .tooSlow : nil
  }

  /// - Returns: bytes that were read.
  private static func read(_ descriptors: inout [pollfd], into outputs: inout [[UInt8]], wait: Int32) -> Int {
    guard poll(&descriptors, nfds_t(descriptors.count), wait) > 0 else { return 0 }
    var total = 0
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    for index in descriptors.indices where descriptors[index].fd >= 0 && descriptors[index].revents != 0 {
      let count = Glibc.read(descriptors[index].fd, &buffer, buffer.count)
      if count > 0 {
        outputs[index] += buffer[..<count]
        total += count
      } else if count == 0 {
        close(descriptors[index].fd)
        // poll leaves out what is negative.
        descriptors[index].fd = -1
      }
    }
    return total
  }

  private static func reap(_ pid: pid_t, options: Int32) -> Int32? {
    var raw: Int32 = 0
    while true {
      let result = waitpid(pid, &raw, options)
      if result == pid { return raw }
      if result == 0 { return nil }
      // Not ours any more: somebody else has reaped it, and its status is lost.
      if cl_errno() != EINTR { return 127 << 8 }
    }
  }

  private static func end(_ pid: pid_t, isReaped: Bool) {
    kill(-pid, SIGKILL)
    if !isReaped { _ = reap(pid, options: 0) }
  }

  private static func spawn(
    _ arguments: [String], _ environment: [String: String]
  ) throws(Failure) -> (pid: pid_t, pipes: [Int32]) {
    var pipes: [(reading: Int32, writing: Int32)] = []
    for _ in 0..<2 {
      var (reading, writing): (Int32, Int32) = (-1, -1)
      let code = cl_pipe(&reading, &writing)
      if code < 0 {
        for pipe in pipes { _ = (close(pipe.reading), close(pipe.writing)) }
        throw .notStarted(-code)
      }
      pipes.append((reading, writing))
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipes[0].writing, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, pipes[1].writing, STDERR_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var argumentPointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var environmentPointers: [UnsafeMutablePointer<CChar>?] = entries(environment).map { strdup($0) } + [nil]
    defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
    var pid = pid_t()
    let code = posix_spawnp(
      &pid, arguments.first ?? "", &actions, &attributes, &argumentPointers, &environmentPointers)
    for pipe in pipes { close(pipe.writing) }
    guard code == 0 else {
      for pipe in pipes { close(pipe.reading) }
      throw .notStarted(code)
    }
    return (pid, pipes.map(\.reading))
  }

  /// `NAME=value` of this process's environment with `additions`, which win.
  private static func entries(_ additions: [String: String]) -> [String] {
    var inherited: [String] = []
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if additions[String(text.prefix { $0 != "=" })] == nil { inherited.append(text) }
      next += 1
    }
    return inherited + additions.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }
}
