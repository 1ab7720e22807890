import KubernetesAPI

extension ObjectStore {
  /// Refuses a request that nothing allows. - Throws: 403.
  public func authorize(_ request: APIRequest) throws(KubernetesStatus) {
    var asked = AccessRequest(request)
    guard decide(asked).isAllowed else { throw asked.refusal }
    guard createsByApply(request) else { return }
    // Who may change what is there may not thereby make what is not.
    asked.verb = "create"
    guard decide(asked).isAllowed else { throw asked.refusal }
  }

  private func createsByApply(_ request: APIRequest) -> Bool {
    guard request.method == "PATCH", let header = request.header("Content-Type"),
      MediaRange.parse(header).first?.type.hasPrefix("application/apply-patch") == true,
      let path = resourcePath(request.segments), path.name != nil, path.subresource == nil
    else { return false }
    return object(path.type, path.key) == nil
  }
}
