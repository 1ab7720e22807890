import KubernetesAPI

extension InferenceService {
  /// `spec.queue`.
  static let queueSchema = SchemaNode.object(
    "Requests that wait for a replica.",
    [
      (
        "maxRequests",
        .integer("Most requests that wait; more are answered 429. 0: none waits.", 0...100_000, default: 1000)
      ),
      (
        "maxWait",
        .duration(
          "Longest wait; a caller may ask for less (Prefer: wait=SECONDS).", from: "0s", to: "1h", default: "10m")
      ),
      (
        "tenantSharePercent",
        .integer("Most of the queue that one tenant may fill.", 1...100, default: 100)
      ),
    ]
  ).withDefaultOfMembers()

  /// `spec.timeouts`.
  static let timeoutsSchema = SchemaNode.object(
    "Bounds on what a replica may take.",
    [
      (
        "startup",
        .duration(
          "From the creation of a pod to Ready, loading of the model included.", from: "10s", to: "24h",
          default: "30m")
      ),
      (
        "response",
        .duration(
          "Longest silence of a replica that answers. A stream that flows is never cut.", from: "1s", to: "24h",
          default: "10m")
      ),
      (
        "drain",
        .duration(
          "How long a replica that leaves may finish its requests.", from: "0s", to: "24h", default: "5m")
      ),
    ]
  ).withDefaultOfMembers()
}
