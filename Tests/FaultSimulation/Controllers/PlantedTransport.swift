import InferenceAPI
import KubernetesAPI
import KubernetesClient

/// A controller's transport with a planted bug in it: what the code would do wrong, its requests and answers show.
struct PlantedTransport: KubernetesTransport {
  private let transport: any KubernetesTransport
  private let bug: PlantedBug?

  init(_ transport: any KubernetesTransport, _ bug: PlantedBug?) {
    self.transport = transport
    self.bug = bug
  }

  func send(_ request: KubernetesRequest) async throws -> KubernetesResponse {
    if bug == .leasesAreLeft, request.method == .delete, request.path.contains("/leases/") {
      return KubernetesResponse(status: 200, body: Array("{}".utf8))
    }
    let sent = changed(request)
    let isRenewal = sent.method == .put && sent.path.hasSuffix("/leases/\(Judge.leaderLease.name)")
    do {
      let response = try await transport.send(sent)
      if bug == .conflictForgotten, response.status == 409, sent.method == .patch, !isRenewal {
        return KubernetesResponse(status: 200, body: sent.body)
      }
      if bug == .leadsOn, isRenewal, response.status != 200 { return KubernetesResponse(status: 200, body: sent.body) }
      return response
    } catch let error as TransportError {
      guard bug == .leadsOn, isRenewal else { throw error }
      return KubernetesResponse(status: 200, body: sent.body)
    }
  }

  private func changed(_ request: KubernetesRequest) -> KubernetesRequest {
    guard let bug, request.method == .patch, var body = try? JSONValue(parsing: request.body) else { return request }
    let isScale = request.path.hasSuffix("/scale")
    switch bug {
    case .scaleDownUnconditional where isScale: body["metadata"] = nil
    case .ceilingIgnored where isScale:
      body[path: ["spec", "replicas"]] = JSONValue((body[path: ["spec", "replicas"]]?.intValue ?? 0) + 1)
    case .ownersForgotten: body[path: ["metadata", "ownerReferences"]] = nil
    case .drainsAreNotTold where request.path.hasSuffix("/status"): body[path: ["status", "drain", "pods"]] = nil
    case .appliesReplicas where !isScale && body["kind"] == "Deployment": body[path: ["spec", "replicas"]] = 1
    default: return request
    }
    var request = request
    request.body = body.bytes
    return request
  }

  func stream(_ request: KubernetesRequest) async throws -> KubernetesStream {
    var stream = try await transport.stream(request)
    guard let events = stream.events, bug == .deletionsOverlooked || bug == .expiryOverlooked else { return stream }
    let source = HidingSource(events, hidesDeletions: bug == .deletionsOverlooked)
    stream.events = AsyncThrowingStream { try await source.next() }
    return stream
  }
}

/// Leaves out deletions, or errors, of a watch. `@unchecked Sendable`: one reader, on the simulation's one thread.
private final class HidingSource: @unchecked Sendable {
  private var events: WatchConnection.Events.AsyncIterator
  private let hidesDeletions: Bool

  init(_ events: WatchConnection.Events, hidesDeletions: Bool) {
    self.events = events.makeAsyncIterator()
    self.hidesDeletions = hidesDeletions
  }

  func next() async throws -> KubernetesStream.Event? {
    while let event = try await events.next(isolation: #isolation) {
      switch event {
      case .deleted where hidesDeletions, .error where !hidesDeletions: continue
      default: return event
      }
    }
    return nil
  }
}
