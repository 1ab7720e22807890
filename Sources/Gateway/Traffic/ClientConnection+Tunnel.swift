import EventLoop
import HTTPWire

/// A connection after its protocol was switched (RFC 9110, 7.8): bytes pass both ways as they are, and each end's end is
/// passed on. While both ends are open no timeout but TCP's own applies; once one has ended, the other may be silent for
/// the idle timeout. It counts as in flight until it is over.
extension ClientConnection {
  func beginTunnel(
    _ layout: ResponseHeadLayout, _ head: UnsafeRawBufferPointer, _ rest: UnsafeMutableBufferPointer<UInt8>,
    _ call: Call
  ) {
    call.record.firstByte = loop.nowNanoseconds - call.record.arrival
    call.record.status = 101
    call.outgoing = []
    call.answer = .untilClose
    phase = .tunnel
    channel.watch(untilNanoseconds: .max)
    call.replica?.channel.watch(untilNanoseconds: .max)
    channel.keepAlive()
    call.replica?.channel.keepAlive()
    channel.enqueue { ForwardedResponseHead.appendSwitch(layout, head, record: call.record, to: &$0) }
    channel.enqueue(UnsafeRawBufferPointer(rest))
    call.responseBytes += rest.count
    passToReplica()
  }

  func passToReplica() {
    guard phase == .tunnel, let call, let replica = call.replica else { return }
    if !input.isEmpty {
      var ahead: [UInt8] = []
      swap(&ahead, &input)
      ahead.withUnsafeBytes { replica.channel.enqueue($0) }
    }
    switch pass(from: channel, to: replica.channel) {
    case .flows(let count):
      call.requestBytes += count
      if replica.channel.peerEnded { channel.watch(untilNanoseconds: loop.nowNanoseconds + server.idleTimeout) }
    case .ended:
      replica.channel.endSendingWhenDrained()
      replica.channel.watch(untilNanoseconds: loop.nowNanoseconds + server.idleTimeout)
      endTunnelIfOver(call, replica)
    case .broke: callerLeft()
    }
  }

  func passToCaller() {
    guard phase == .tunnel, let call, let replica = call.replica else { return }
    switch pass(from: replica.channel, to: channel) {
    case .flows(let count):
      call.responseBytes += count
      if channel.peerEnded { replica.channel.watch(untilNanoseconds: loop.nowNanoseconds + server.idleTimeout) }
    case .ended:
      channel.endSendingWhenDrained()
      channel.watch(untilNanoseconds: loop.nowNanoseconds + server.idleTimeout)
      endTunnelIfOver(call, replica)
    case .broke: endTunnel(call)
    }
  }

  private enum Passed {
    case flows(Int)
    case ended
    case broke
  }

  private func pass(from source: ByteChannel, to sink: ByteChannel) -> Passed {
    var count = 0
    for _ in 0..<Self.roundsPerTurn {
      guard sink.queued <= ByteChannel.highWater else {
        sink.reportsDrain = true
        return .flows(count)
      }
      do {
        switch try source.receive() {
        case .bytes(let received):
          count += received
          sink.enqueue(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: loop.receiveBuffer[..<received])))
        case .wouldBlock: return .flows(count)
        case .end: return .ended
        }
      } catch {
        return .broke
      }
    }
    source.readAgainNextTurn()
    return .flows(count)
  }

  private func endTunnelIfOver(_ call: Call, _ replica: ReplicaConnection) {
    if channel.peerEnded, replica.channel.peerEnded { endTunnel(call) }
  }

  /// One end has ended, and the other has been silent since.
  func tunnelDeadlinePassed() { if let call { endTunnel(call) } }

  private func endTunnel(_ call: Call) {
    call.answer = .finished
    call.replica?.close()
    call.replica = nil
    endAttempt(call, .answered(status: call.record.status))
    finish(call)
    self.call = nil
    phase = .ending
    endSending()
  }
}
