import KubernetesAPI
import KubernetesClient

/// Asks the API server about a pod template before anything is changed: it knows fields and rules that we do not.
struct TemplateCheck: Sendable {
  var client: KubernetesClient

  /// The verdict on the templates of pools. Only a refusal of the object is a verdict on it; an API server that cannot
  /// answer is asked again.
  func verdict(_ known: KnownService, pools: [Pool]) async -> TemplateVerdict {
    for pool in pools {
      guard var object = known.deployments[pool] else { continue }
      object.spec["replicas"] = 0
      // A name of its own: the Deployment itself may be there.
      object.json[path: ["metadata", "name"]] = .string("\(object.metadata.name)-check")
      let request = KubernetesRequest(
        method: .post, path: ResourceType.deployments.collectionPath(namespace: known.intent.key.namespace),
        query: [
          .init("dryRun", "All"), .init("fieldValidation", "Strict"),
          .init("fieldManager", DesiredObjects.fieldManager),
        ],
        contentType: "application/json", body: object.json.bytes)
      do {
        _ = try await client.json(request)
      } catch let status as KubernetesStatus where status.code == 400 || status.code == 422 {
        return .invalid("\(pool.rawValue): \(status.message)")
      } catch {
        return .unknown("the API server could not check the template: \(error)")
      }
    }
    return .valid
  }
}
