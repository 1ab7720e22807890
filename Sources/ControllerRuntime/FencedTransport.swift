import KubernetesClient
import Telemetry

/// Sends what reads at any time, and what writes only while this process holds the Lease.
///
/// A deposed leader's tasks are cancelled, but a task may not notice, or may be about to send. Here is where it stops: a write is
/// refused from the renew deadline on, whatever the task thinks, and one that was begun before is given up before another
/// candidate may take the Lease. What remains is a request whose last byte has left this machine and that the API server carries out
/// late. Against that no client can do anything; so everything the controller writes is conditional on a resource version, or an
/// apply of what follows from the object itself, which the next leader's apply repairs.
struct FencedTransport: KubernetesTransport {
  let transport: any KubernetesTransport
  let election: LeaderElection

  func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
    try await transport.send(try fenced(request))
  }

  func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    try await transport.stream(try fenced(request))
  }

  private func fenced(_ request: KubernetesRequest) throws -> KubernetesRequest {
    guard request.method != .get else { return request }
    guard let window = election.writeWindow else { throw NotLeading(request: request.summary) }
    var request = request
    request.window = window
    return request
  }
}

/// A write was refused here, without asking the API server: this process does not hold the leader's Lease.
public struct NotLeading: Error, Hashable, Sendable, CustomStringConvertible {
  /// `PATCH /apis/…`
  public var request: String

  public var description: String { "\(request): not sent: this process does not lead (any more)" }
}

extension KubernetesClient {
  /// The same client, which writes only while `election` says that this process leads, and throws ``NotLeading`` otherwise.
  public func fenced(by election: LeaderElection) -> KubernetesClient {
    through { FencedTransport(transport: $0, election: election) }
  }
}
