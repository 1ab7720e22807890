import CLinux
import Glibc

/// Reads small files whole.
enum LocalFile {
  /// What tells one state of a file from another.
  struct Identity: Hashable, Sendable {
    var inode: UInt
    var seconds: Int
    var nanoseconds: Int
    var size: Int
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// - Throws: ``Failure`` that names the file and the reason.
  static func read(_ path: String, limit: Int = 1 << 20) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(description: "cannot read \(path): \(reason())") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      guard count >= 0 else { throw Failure(description: "cannot read \(path): \(reason())") }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
      guard bytes.count <= limit else { throw Failure(description: "\(path) is larger than \(limit) bytes") }
    }
  }

  /// Nil when there is no such file.
  static func identity(_ path: String) -> Identity? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Identity(
      inode: UInt(status.st_ino), seconds: Int(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec),
      size: Int(status.st_size))
  }

  private static func reason() -> String { String(cString: strerror(cl_errno())) }
}
