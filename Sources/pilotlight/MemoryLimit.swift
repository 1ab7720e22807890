import Glibc

/// How much memory the control group of this process may use: what a container's `resources.limits.memory` becomes.
///
/// cgroup v2 (`memory.max`, kernel's admin-guide/cgroup-v2) and v1 (`memory.limit_in_bytes`); a group is also bound by those
/// above it, so the least counts.
enum MemoryLimit {
  /// In bytes; nil where there is none, or none can be read.
  static func current() -> Int? {
    guard let groups = try? LocalFile.read("/proc/self/cgroup") else { return nil }
    let files = self.files(of: String(decoding: groups, as: UTF8.self))
    return files.compactMap { path in (try? LocalFile.read(path)).flatMap { bytes(String(decoding: $0, as: UTF8.self)) }
    }
    .min()
  }

  /// Where the limits of a process and of the groups above it are written, by its `/proc/PID/cgroup`.
  static func files(of groups: String) -> [String] {
    groups.split(separator: "\n").flatMap { line -> [String] in
      // hierarchy-ID:controllers:path
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      if parts[0] == "0", parts[1].isEmpty { return ancestors(of: parts[2]).map { "/sys/fs/cgroup\($0)/memory.max" } }
      guard parts[1].split(separator: ",").contains("memory") else { return [] }
      return ancestors(of: parts[2]).map { "/sys/fs/cgroup/memory\($0)/memory.limit_in_bytes" }
    }
  }

  /// The number in such a file; nil for `max`, and for version 1's way to say so, the largest multiple of a page.
  static func bytes(_ text: String) -> Int? {
    guard let value = Int(text.filter { !$0.isWhitespace }), value > 0, value < 1 << 60 else { return nil }
    return value
  }

  /// "/a/b" is "/a/b", "/a" and "".
  private static func ancestors(of path: Substring) -> [String] {
    let names = path.split(separator: "/")
    return (0...names.count).reversed().map { names[..<$0].map { "/\($0)" }.joined() }
  }
}
