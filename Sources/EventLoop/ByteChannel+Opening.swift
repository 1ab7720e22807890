import Glibc

/// Making channels, and getting them to the point where bytes flow, for owners that do not wait but are told.
extension ByteChannel {
  /// A channel over a socket that a listener has accepted. Closes the descriptor when it throws.
  public convenience init(
    accepted descriptor: Int32, on loop: EventLoop, tls: TLSServerContext?, writeTimeout: Duration
  ) throws {
    let session: TLSSession?
    do {
      session = try tls.map { try TLSSession(server: $0, descriptor: descriptor) }
    } catch {
      Glibc.close(descriptor)
      throw error
    }
    try self.init(loop: loop, descriptor: descriptor, tls: session, isConnected: true, writeTimeout: writeTimeout)
  }

  /// A channel on its way to `address`: it is connected once the socket takes bytes and ``connectFailure(to:)`` is nil.
  public convenience init(
    connectingTo address: SocketAddress, on loop: EventLoop, tls: TLSClientContext?, writeTimeout: Duration
  ) throws {
    let descriptor = try Socket.connect(to: address)
    let session: TLSSession?
    do {
      session = try tls.map { try TLSSession(client: $0, descriptor: descriptor, address: address) }
    } catch {
      Glibc.close(descriptor)
      throw error
    }
    try self.init(loop: loop, descriptor: descriptor, tls: session, isConnected: false, writeTimeout: writeTimeout)
  }

  /// Why a connect did not succeed; nil: it did.
  public func connectFailure(to address: SocketAddress) -> HTTPError? {
    guard isOpen else { return failure ?? .disconnected }
    let result = Socket.connectResult(descriptor)
    return result == 0 ? nil : HTTPError(.connectFailed, "connect to \(address): \(HTTPError.describe(result))")
  }

  /// Whether the TLS handshake is complete, where there is one. False: call again when the channel reports input or,
  /// as then asked for, that it is writable. - Throws: ``HTTPError`` when it failed; the channel is closed then.
  public func advanceHandshake() throws -> Bool {
    guard let tls else { return true }
    switch tls.handshake() {
    case .done: return true
    case .wantsRead:
      noteDrained()
      return false
    case .wantsWrite:
      reportsWritable = true
      return false
    case .failed(let reason):
      close()
      throw HTTPError(.tlsFailed, reason)
    }
  }
}
