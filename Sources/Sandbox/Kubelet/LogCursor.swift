import CLinux
import Glibc

/// A reader's place in a container's log, across one rotation. Confined to the sandbox's loop.
final class LogCursor {
  private let log: ContainerLog
  private var descriptor: Int32
  private var rotation: Int
  /// The file that was set aside is read first.
  private var isInOlderFile = false

  init(_ log: ContainerLog) {
    self.log = log
    rotation = log.rotations
    descriptor = open(log.path + ".1", O_RDONLY | O_CLOEXEC)
    isInOlderFile = descriptor >= 0
    if !isInOlderFile { descriptor = open(log.path, O_RDONLY | O_CLOEXEC) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The next piece; empty at the present end.
  func read() -> [UInt8] {
    while descriptor >= 0 {
      let piece = readPiece()
      if !piece.isEmpty { return piece }
      guard isInOlderFile || log.rotations > rotation else { return [] }
      close(descriptor)
      descriptor = open(log.path, O_RDONLY | O_CLOEXEC)
      if !isInOlderFile { rotation = log.rotations }
      isInOlderFile = false
    }
    return []
  }

  /// Moves so that `count` lines are left before the present end.
  func skipToLast(lines count: Int) {
    let ends = [isInOlderFile ? log.path + ".1" : nil, log.path].compactMap(\.self)
    // From the newest file backwards.
    var wanted = count
    for path in ends.reversed() {
      let (offset, found) = Self.offset(ofLast: wanted, in: path)
      wanted -= found
      guard wanted <= 0 || path == ends.first else { continue }
      if isInOlderFile, path == log.path {
        close(descriptor)
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        isInOlderFile = false
      }
      lseek(descriptor, offset, SEEK_SET)
      return
    }
  }

  private func readPiece() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
      var result: Int
      repeat {
        result = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      } while result < 0 && cl_errno() == EINTR
      count = max(0, result)
    }
  }

  /// Where the last `count` lines of a file begin, and how many of them it has.
  private static func offset(ofLast count: Int, in path: String) -> (off_t, Int) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return (0, 0) }
    defer { close(descriptor) }
    var end = lseek(descriptor, 0, SEEK_END)
    if count <= 0 { return (end, 0) }
    var buffer = [UInt8](repeating: 0, count: 65536)
    var found = 0
    while end > 0 {
      let start = max(0, end - off_t(buffer.count))
      let length = Int(end - start)
      guard buffer.withUnsafeMutableBytes({ pread(descriptor, $0.baseAddress, length, start) }) == length else {
        return (end, found)
      }
      for index in stride(from: length - 1, through: 0, by: -1) where buffer[index] == UInt8(ascii: "\n") {
        // Each line ends in a newline: the one before the wanted first line is one too many.
        if found == count { return (start + off_t(index) + 1, count) }
        found += 1
      }
      end = start
    }
    return (0, found)
  }
}
