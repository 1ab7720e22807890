import EventLoop

/// The TLS settings for connections to replicas. Placeholder to be replaced on merge.
final class UpstreamTLSContexts: Sendable {
  init() {}
  func context(for replica: Replica) throws -> TLSClientContext? { nil }
}
