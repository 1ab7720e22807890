import CLinux
import Glibc

/// Hands out loopback addresses, one per pod, that no other sandbox on this machine uses: blocks `127.a.b.0/24`, each claimed by
/// an abstract Unix socket that the kernel frees when the process ends. `127.0.0.x` is left alone.
struct LoopbackAddresses {
  /// No further block of 254 addresses could be claimed.
  struct Exhausted: Error, CustomStringConvertible {
    var description: String { "no free block of loopback addresses 127.a.b.0/24 could be claimed" }
  }

  private var claims: [Int32] = []
  /// Free addresses, the longest unused first: a client may still hold connections to one that was just released.
  private var free: [String] = []
  /// An address that no other pod has.
  mutating func allocate() throws(Exhausted) -> String {
    // A fresh block is cheaper than the reuse of an address somebody may still remember.
    if free.count < 16 { try? claimBlock() }
    guard !free.isEmpty else { throw Exhausted() }
    return free.removeFirst()
  }

  mutating func release(_ address: String) { free.append(address) }

  /// Gives all blocks back.
  mutating func releaseAll() {
    for descriptor in claims { close(descriptor) }
    claims = []
    free = []
  }

  private mutating func claimBlock() throws(Exhausted) {
    // Some two thousand pods at a time are more than one machine runs.
    guard claims.count < 8 else { throw Exhausted() }
    for _ in 0..<64 {
      let block = "127.\(Int.random(in: 1...254)).\(Int.random(in: 0...255))"
      guard let descriptor = Self.claim(block) else { continue }
      claims.append(descriptor)
      free += (1...254).map { "\(block).\($0)" }
      return
    }
    throw Exhausted()
  }

  private static func claim(_ block: String) -> Int32? {
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let name = [0] + Array("pilotlight-pods-\(block)".utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    guard result == 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }
}
