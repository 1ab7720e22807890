import KubernetesAPI

extension KubernetesClient {
  /// Reads the end of a container's log as text.
  /// - Parameters:
  ///   - tailLines: how many lines from the end.
  ///   - previous: the log of the container's run before the present one.
  ///   - timeout: the kubelet behind the API server may be away.
  public func logs(
    _ pod: ObjectKey, container: String, tailLines: Int, previous: Bool, timeout: Duration = .seconds(5)
  ) async throws -> String {
    let request = KubernetesRequest(
      method: .get, path: "\(ResourceType.pods.path(pod))/log",
      query: [
        .init("container", container), .init("tailLines", String(tailLines)), .init("previous", String(previous)),
        .init("limitBytes", "16384"),
      ], accept: "*/*", timeout: timeout)
    let response = try await transport.send(request)
    guard (200..<300).contains(response.status) else { throw KubernetesStatus(response: response, request: request) }
    return String(decoding: response.body, as: UTF8.self)
  }
}
