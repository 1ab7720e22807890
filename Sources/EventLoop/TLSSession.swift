import CLinux
import COpenSSL
import Glibc

/// TLS on one non-blocking socket. Loop-confined.
final class TLSSession {
  /// What `read` answers when the protocol, not the socket, failed; no errno has this value.
  static let protocolError: Int32 = 9999

  private let session: OpaquePointer
  /// Lives as long as its sessions, which may ask it for a certificate.
  private let server: TLSServerContext?
  private(set) var lastError = ""
  private var isBroken = false
  private var isEstablished = false

  /// - Parameter descriptor: stays the caller's to close.
  init(server context: TLSServerContext, descriptor: Int32) throws {
    guard let session = SSL_new(context.context), SSL_set_fd(session, descriptor) == 1 else {
      throw TLSError.refusal("TLS session")
    }
    self.session = session
    self.server = context
    SSL_set_accept_state(session)
  }

  init(client context: TLSClientContext, descriptor: Int32, address: SocketAddress) throws {
    guard let session = SSL_new(context.context), SSL_set_fd(session, descriptor) == 1 else {
      throw TLSError.refusal("TLS session")
    }
    self.session = session
    server = nil
    SSL_set_connect_state(session)
    let name = context.serverName ?? address.host
    let isAddress = (try? SocketAddress(host: name, port: 0)) != nil
    if !isAddress { _ = co_set_server_name(session, name) }
    guard context.verifies else { return }
    let accepted =
      isAddress
      ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name) : SSL_set1_host(session, name)
    guard accepted == 1 else { throw TLSError.refusal("server name '\(name)'") }
  }

  deinit { SSL_free(session) }

  enum Handshake {
    case done
    case wantsRead
    case wantsWrite
    case failed(String)
  }

  func handshake() -> Handshake {
    switch co_handshake(session) {
    case 1:
      isEstablished = true
      return .done
    case Int32(CO_WANTS_READ): return .wantsRead
    case Int32(CO_WANTS_WRITE): return .wantsWrite
    default:
      isBroken = true
      let verification = SSL_get_verify_result(session)
      let reason =
        verification == Int(X509_V_OK)
        ? TLSError.drain() : String(cString: X509_verify_cert_error_string(verification))
      return .failed("handshake: \(reason)")
    }
  }

  /// Bytes read, 0 at the peer's end, or a negative error number: -EAGAIN when nothing is there.
  func read(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
    var filled = 0
    // A record holds at most 16 KiB: several go into one buffer, so that a large body takes few turns.
    while filled < buffer.count {
      let count = co_read(session, buffer.baseAddress.map { $0 + filled }, Int32(clamping: buffer.count - filled))
      if count > 0 {
        filled += Int(count)
      } else {
        return filled > 0 ? filled : outcome(count)
      }
    }
    return filled
  }

  /// Bytes taken, or a negative error number: -EAGAIN when the socket takes no more.
  func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    let count = co_write(session, bytes.baseAddress, Int32(clamping: bytes.count))
    guard count <= 0 else { return Int(count) }
    let result = outcome(count)
    return result == 0 ? -Int(EPIPE) : result
  }

  private func outcome(_ count: Int32) -> Int {
    switch count {
    case Int32(CO_WANTS_READ), Int32(CO_WANTS_WRITE): return -Int(EAGAIN)
    case Int32(CO_CLOSED): return 0
    default:
      isBroken = true
      lastError = TLSError.drain()
      return -Int(Self.protocolError)
    }
  }

  /// Says goodbye (close_notify), as far as the socket takes it.
  func shutDown() {
    guard isEstablished, !isBroken else { return }
    ERR_clear_error()
    SSL_shutdown(session)
    ERR_clear_error()
  }
}
