import CLinux
import Glibc

/// Socket system calls. Synchronous, so that `errno` is read on the thread that made the call.
enum Socket {
  /// A bound, listening, non-blocking socket, and the address it is bound to.
  static func listen(
    on address: SocketAddress, backlog: Int, reusePort: Bool
  ) throws -> (descriptor: Int32, address: SocketAddress) {
    let descriptor = try open(address.family)
    do {
      set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
      if reusePort { set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
      if address.family == AF_INET6 { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
      guard address.withSocketAddress({ bind(descriptor, $0, $1) }) == 0 else {
        throw HTTPError(.system, "cannot listen on \(address): \(HTTPError.describe(cl_errno()))")
      }
      guard Glibc.listen(descriptor, Int32(clamping: backlog)) == 0 else {
        throw HTTPError(.system, "cannot listen on \(address): \(HTTPError.describe(cl_errno()))")
      }
      return (descriptor, try localAddress(descriptor))
    } catch {
      Glibc.close(descriptor)
      throw error
    }
  }

  /// A non-blocking socket on its way to `address`; it is writable once connected or failed.
  static func connect(to address: SocketAddress) throws -> Int32 {
    let descriptor = try open(address.family)
    set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    if address.withSocketAddress({ Glibc.connect(descriptor, $0, $1) }) != 0, cl_errno() != EINPROGRESS {
      let code = cl_errno()
      Glibc.close(descriptor)
      throw HTTPError(.connectFailed, "connect to \(address): \(HTTPError.describe(code))")
    }
    return descriptor
  }

  /// The outcome of a connect: 0, or an error number.
  static func connectResult(_ descriptor: Int32) -> Int32 {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : cl_errno()
  }

  enum Accepted {
    case connection(Int32, SocketAddress)
    /// The queue is empty.
    case none
    /// That connection is gone already; there may be more.
    case again
    /// Descriptors or memory have run out.
    case exhausted
  }

  static func accept(_ listener: Int32) -> Accepted {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let descriptor = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        cl_accept4(listener, $0, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
      }
    }
    if descriptor < 0 {
      switch cl_errno() {
      case EAGAIN: return .none
      case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
      case EBADF, EINVAL, ENOTSOCK: return .none
      default: return .again
      }
    }
    guard let peer = SocketAddress(storage) else {
      Glibc.close(descriptor)
      return .again
    }
    set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    return .connection(descriptor, peer)
  }

  /// Ends the sending half; the peer reads the end of the stream.
  static func shutDownWriting(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Drops every packet that comes for a listening socket from now on, by a filter that lets none pass.
  static func dropIncoming(_ descriptor: Int32) { cl_drop_incoming(descriptor) }

  /// close(2) sends a reset.
  static func resetOnClose(_ descriptor: Int32) {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }

  /// TCP keep-alive: probes after a minute of silence, and gives up after three that are not answered.
  static func keepAlive(_ descriptor: Int32) {
    set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
    set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60)
    set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 20)
    set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
  }

  private static func open(_ family: Int32) throws -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(family, kind, 0)
    guard descriptor >= 0 else { throw HTTPError.system("socket", cl_errno()) }
    return descriptor
  }

  private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func localAddress(_ descriptor: Int32) throws -> SocketAddress {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    guard result == 0, let address = SocketAddress(storage) else { throw HTTPError.system("getsockname", cl_errno()) }
    return address
  }
}
