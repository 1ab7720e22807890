import CLinux
import Glibc

/// A pod must listen on its own address: one that takes a port on every address would keep all other pods from that port.
enum ListenRule {
  /// Says which port a process of the session, or one that was started with the environment entry, holds on every address;
  /// nil when the pod keeps the rule.
  static func violation(session: Int32, marker: String, ports: [Int], address: String) -> String? {
    // Most checks end here, in microseconds: the kernel's own tables are long, and are written out anew for each reader.
    let suspects = ports.filter(mayBeTakenEverywhere)
    if suspects.isEmpty { return nil }
    let wildcards = ProcessTable.wildcardListeners(on: suspects)
    if wildcards.isEmpty { return nil }
    let pids = Set(ProcessTable.members(ofSession: session) + ProcessTable.members(withEnvironment: marker))
    let inodes = ProcessTable.socketInodes(of: pids.sorted())
    guard let found = wildcards.first(where: { inodes.contains($0.inode) }) else { return nil }
    return
      "port \(found.port) is bound on every address (0.0.0.0 or ::); in the sandbox all pods share the machine, so "
      + "listen on the pod's own address only: $POD_IP, here \(address):\(found.port)"
  }

  /// Whether a socket may listen on every address at a port: then nobody can bind an address of which nothing else is made.
  /// False is certain; true may also mean that somebody has just that address, or that the port needs privileges.
  static func mayBeTakenEverywhere(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return true }
    defer { close(descriptor) }
    // Connections that linger in TIME_WAIT are no listeners.
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    // 127.255.255.253: loopback, and in no block that pods get.
    address.sin_addr = in_addr(s_addr: UInt32(0x7FFF_FFFD).bigEndian)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return result != 0
  }
}
