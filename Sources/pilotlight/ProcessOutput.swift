import Glibc

/// Runs another program to its end and keeps what it wrote.
struct ProcessOutput {
  /// Exit status, or 128 plus the signal that ended it.
  var status: Int32
  var standardOutput: [UInt8]
  var standardError: String

  /// Why a program did not run at all.
  struct LaunchFailure: Error, CustomStringConvertible {
    var program: String
    var code: Int32
    var description: String { "cannot run \(program): \(String(cString: strerror(code)))" }
  }

  /// Runs `arguments[0]`, found on PATH, and waits for it. Its two outputs are read by turns, so neither blocks the other.
  init(of arguments: [String]) throws(LaunchFailure) {
    let program = arguments.first ?? ""
    var outPipe: [Int32] = [0, 0]
    var errorPipe: [Int32] = [0, 0]
    guard pipe(&outPipe) == 0 else { throw LaunchFailure(program: program, code: errno) }
    guard pipe(&errorPipe) == 0 else { throw LaunchFailure(program: program, code: errno) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, outPipe[1], STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errorPipe[1], STDERR_FILENO)
    for descriptor in outPipe + errorPipe { posix_spawn_file_actions_addclose(&actions, descriptor) }
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    var pid = pid_t()
    let code = posix_spawnp(&pid, program, &actions, nil, pointers, environ)
    close(outPipe[1])
    close(errorPipe[1])
    guard code == 0 else {
      close(outPipe[0])
      close(errorPipe[0])
      throw LaunchFailure(program: program, code: code)
    }
    let (output, error) = Self.drain(outPipe[0], errorPipe[0])
    var raw: Int32 = 0
    while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
    status = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
    standardOutput = output
    standardError = String(decoding: error, as: UTF8.self)
  }

  private static func drain(_ first: Int32, _ second: Int32) -> ([UInt8], [UInt8]) {
    var collected: [[UInt8]] = [[], []]
    var descriptors = [
      pollfd(fd: first, events: Int16(POLLIN), revents: 0), pollfd(fd: second, events: Int16(POLLIN), revents: 0),
    ]
    var buffer = [UInt8](repeating: 0, count: 65536)
    while descriptors.contains(where: { $0.fd >= 0 }) {
      guard poll(&descriptors, 2, -1) > 0 || errno == EINTR else { break }
      for index in 0..<2 where descriptors[index].fd >= 0 && descriptors[index].revents != 0 {
        let count = read(descriptors[index].fd, &buffer, buffer.count)
        if count > 0 {
          collected[index].append(contentsOf: buffer[0..<count])
        } else {
          close(descriptors[index].fd)
          descriptors[index].fd = -1
        }
      }
    }
    return (collected[0], collected[1])
  }
}
