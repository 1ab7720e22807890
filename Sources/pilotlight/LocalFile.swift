import Glibc

/// Files of this machine, read whole.
enum LocalFile {
  /// Why a file cannot be read, with its path.
  struct Unreadable: Error, CustomStringConvertible {
    var path: String
    var code: Int32
    var description: String { "cannot read '\(path)': \(String(cString: strerror(code)))" }
  }

  static func read(_ path: String) throws(Unreadable) -> [UInt8] {
    guard let file = fopen(path, "r") else { throw Unreadable(path: path, code: errno) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[0..<count] }
    guard ferror(file) == 0 else { throw Unreadable(path: path, code: errno) }
    return bytes
  }
}
