import CLinux
import Glibc

/// What `/proc` tells about processes and their sockets (proc(5)). Reads files: a few hundred microseconds each.
enum ProcessTable {
  /// All processes of a session, the leader too.
  static func members(ofSession session: Int32) -> [Int32] {
    processes().filter { self.session(of: $0) == session }
  }

  /// All processes whose environment, as they were started, holds `entry` (`NAME=value`).
  static func members(withEnvironment entry: String) -> [Int32] {
    let wanted = Array(entry.utf8)
    return processes().filter { pid in
      guard let bytes = readFile("/proc/\(pid)/environ") else { return false }
      return bytes.split(separator: 0).contains { $0.elementsEqual(wanted) }
    }
  }

  /// Inodes of the sockets that processes hold open.
  static func socketInodes(of pids: [Int32]) -> Set<String> {
    var inodes: Set<String> = []
    for pid in pids {
      for name in entries(of: "/proc/\(pid)/fd") {
        guard let target = readLink("/proc/\(pid)/fd/\(name)"), target.hasPrefix("socket:[") else { continue }
        inodes.insert(String(target.dropFirst(8).dropLast()))
      }
    }
    return inodes
  }

  /// Sockets of this network namespace that listen on every address, on one of `ports`.
  static func wildcardListeners(on ports: [Int]) -> [(port: Int, inode: String)] {
    ["tcp", "tcp6"].flatMap { name -> [(port: Int, inode: String)] in
      guard let bytes = readFile("/proc/self/net/\(name)") else { return [] }
      return wildcardListeners(in: String(decoding: bytes, as: UTF8.self), on: ports)
    }
  }

  /// The same of a file's text; column 1 is the local address in hex, 3 the state (0A: LISTEN), 9 the inode.
  static func wildcardListeners(in text: String, on ports: [Int]) -> [(port: Int, inode: String)] {
    text.split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      guard fields.count > 9, fields[3] == "0A" else { return nil }
      let local = fields[1].split(separator: ":")
      guard local.count == 2, local[0].allSatisfy({ $0 == "0" }), let port = Int(local[1], radix: 16),
        ports.contains(port)
      else { return nil }
      return (port, String(fields[9]))
    }
  }

  /// Process ids, in order.
  static func processes() -> [Int32] { entries(of: "/proc").compactMap { Int32($0) }.sorted() }

  private static func session(of pid: Int32) -> Int32? {
    guard let bytes = readFile("/proc/\(pid)/stat") else { return nil }
    // The second field is the program's name in parentheses, which may hold anything.
    guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 3 else { return nil }
    return Int32(String(decoding: fields[3], as: UTF8.self))
  }

  private static func entries(of path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  private static func readLink(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = buffer.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { text in
        text.baseAddress.map { readlink(path, $0, text.count) } ?? -1
      }
    }
    return count > 0 ? String(decoding: buffer[0..<count], as: UTF8.self) : nil
  }

  private static func readFile(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 32768)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, cl_errno() == EINTR { continue }
      guard count > 0 else { return count == 0 ? content : nil }
      content += buffer[0..<count]
    }
  }
}
