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
    let hidden: String
    switch bug {
    case .deletionsOverlooked: hidden = "\"type\":\"DELETED\""
    case .expiryOverlooked: hidden = "\"type\":\"ERROR\""
    default: return stream
    }
    let source = HidingSource(stream.body, hidden: hidden)
    stream.body = AsyncThrowingStream { try await source.next() }
    return stream
  }
}

/// Leaves out lines of a watch. `@unchecked Sendable`: one reader, on the simulation's one thread.
private final class HidingSource: @unchecked Sendable {
  private var pieces: AsyncThrowingStream<[UInt8], any Error>.AsyncIterator
  private let hidden: String

  init(_ pieces: AsyncThrowingStream<[UInt8], any Error>, hidden: String) {
    self.pieces = pieces.makeAsyncIterator()
    self.hidden = hidden
  }

  /// Pieces are whole lines here.
  func next() async throws -> [UInt8]? {
    guard let piece = try await pieces.next(isolation: #isolation) else { return nil }
    let lines = piece.split(separator: UInt8(ascii: "\n")).filter { line in
      !String(decoding: line, as: UTF8.self).contains(hidden)
    }
    return lines.flatMap { $0 + [UInt8(ascii: "\n")] }
  }
}
