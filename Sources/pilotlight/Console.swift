import Glibc

/// What commands say to the terminal.
enum Console {
  /// Writes a line to standard output.
  static func print(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

  /// Writes a line to standard error.
  static func printError(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

  /// Writes all of `text`, however often the kernel takes only a part.
  static func write(_ text: String, to descriptor: Int32) { write(Array(text.utf8), to: descriptor) }

  /// Writes all of `octets`, however often the kernel takes only a part.
  static func write(_ octets: [UInt8], to descriptor: Int32) {
    var remaining = octets[...]
    while !remaining.isEmpty {
      let written = remaining.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard written > 0 else { return }
      remaining = remaining.dropFirst(written)
    }
  }

  /// Whether a write of at most `PIPE_BUF` bytes would return at once (pipe(7)).
  static func canWrite(to descriptor: Int32) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&request, 1, 0) == 1
  }
}
