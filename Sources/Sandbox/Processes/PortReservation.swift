import CLinux
import Glibc

/// Ports on 127.0.0.1 for children that are told which one to listen on.
enum PortReservation {
  /// Ports below the kernel's own range for outgoing connections, so that none of those takes one before the child does.
  private static let range = 20_000..<30_000

  /// Whether somebody could listen there now.
  static func isFree(_ port: Int) -> Bool {
    let descriptor = bound(to: port)
    guard let descriptor else { return false }
    close(descriptor)
    return true
  }

  /// `count` different free ports.
  static func free(_ count: Int) -> [Int] {
    var found: [Int] = []
    var held: [Int32] = []
    defer { for descriptor in held { close(descriptor) } }
    for _ in 0..<1000 where found.count < count {
      let port = Int.random(in: range)
      guard let descriptor = bound(to: port) else { continue }
      held.append(descriptor)
      found.append(port)
    }
    return found
  }

  private static func bound(to port: Int) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0, listen(descriptor, 1) == 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }
}
