import CLinux
import Glibc

/// An IP address and a port. Names are not resolved.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  private var high: UInt64
  private var low: UInt64
  private var isIPv6: Bool
  /// 0 to 65535; 0 asks the kernel for a free one when listening.
  public var port: Int

  /// Reads `127.0.0.1:8080` or `[::1]:8080`.
  public init(parsing text: String) throws {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      text[colon...].dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else {
      throw Self.refusal(text)
    }
    let host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      guard host.contains(":") else { throw Self.refusal(text) }
      try self.init(host: String(host.dropFirst().dropLast()), port: Int(port))
    } else {
      guard !host.contains(":") else { throw Self.refusal(text) }
      try self.init(host: String(host), port: Int(port))
    }
  }

  /// - Parameter host: an IPv4 or IPv6 address, without brackets.
  public init(host: String, port: Int) throws {
    guard (0...65535).contains(port) else { throw Self.refusal("\(host):\(port)") }
    var v4 = in_addr()
    var v6 = in6_addr()
    if inet_pton(AF_INET, host, &v4) == 1 {
      self.init(v4: v4, port: port)
    } else if inet_pton(AF_INET6, host, &v6) == 1 {
      self.init(v6: v6, port: port)
    } else {
      throw Self.refusal("\(host):\(port)")
    }
  }

  private static func refusal(_ text: String) -> HTTPError {
    HTTPError(.invalidConfiguration, "address '\(text)': expected IPv4:port or [IPv6]:port, for example 127.0.0.1:8080")
  }

  private init(v4: in_addr, port: Int) {
    high = 0
    low = UInt64(UInt32(bigEndian: v4.s_addr))
    isIPv6 = false
    self.port = port
  }

  private init(v6: in6_addr, port: Int) {
    (high, low) = withUnsafeBytes(of: v6) {
      (UInt64(bigEndian: $0.load(as: UInt64.self)), UInt64(bigEndian: $0.load(fromByteOffset: 8, as: UInt64.self)))
    }
    isIPv6 = true
    self.port = port
  }

  init?(_ storage: sockaddr_storage) {
    var storage = storage
    switch Int32(storage.ss_family) {
    case AF_INET:
      let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in.self) }
      self.init(v4: address.sin_addr, port: Int(UInt16(bigEndian: address.sin_port)))
    case AF_INET6:
      let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in6.self) }
      self.init(v6: address.sin6_addr, port: Int(UInt16(bigEndian: address.sin6_port)))
    default: return nil
    }
  }

  /// The same host, whatever the port.
  var anyPort: SocketAddress {
    var copy = self
    copy.port = 0
    return copy
  }

  /// Whether the hosts are equal, whatever the ports.
  public func hasSameHost(as other: SocketAddress) -> Bool {
    high == other.high && low == other.low && isIPv6 == other.isIPv6
  }

  /// Whether only this machine gets there.
  public var isLoopback: Bool { isIPv6 ? host == "::1" : host.hasPrefix("127.") }

  /// Some bits of the host, to spread hosts over a small table.
  public var hostDigest: Int { Int(truncatingIfNeeded: (high ^ low) &* 0x9E37_79B9_7F4A_7C15 >> 32) }

  var family: Int32 { isIPv6 ? AF_INET6 : AF_INET }

  /// Calls `body` with the kernel's form of this address.
  func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    if isIPv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = UInt16(port).bigEndian
      address.sin6_addr = v6
      return withUnsafePointer(to: address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
      }
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr = in_addr(s_addr: UInt32(low).bigEndian)
    return withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  private var v6: in6_addr {
    var address = in6_addr()
    withUnsafeMutableBytes(of: &address) {
      $0.storeBytes(of: high.bigEndian, as: UInt64.self)
      $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return address
  }

  /// The address as text, without brackets.
  public var host: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
      if isIPv6 {
        var address = v6
        inet_ntop(AF_INET6, &address, text.baseAddress, socklen_t(text.count))
      } else {
        var address = in_addr(s_addr: UInt32(low).bigEndian)
        inet_ntop(AF_INET, &address, text.baseAddress, socklen_t(text.count))
      }
      return text.baseAddress.map { String(cString: $0) } ?? ""
    }
  }

  public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
