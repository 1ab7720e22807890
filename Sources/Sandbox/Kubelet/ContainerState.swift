import struct FoundationEssentials.Date

/// `state` of a container status (Pod API): exactly one of three.
enum ContainerState: Hashable, Sendable {
  case waiting(ContainerWaiting)
  case running(since: Date)
  case terminated(ContainerTermination)
}

/// Why a container does not run yet, or not at present.
struct ContainerWaiting: Hashable, Sendable {
  var reason: String
  var message: String?
}

/// How a container ended.
struct ContainerTermination: Hashable, Sendable {
  var exitCode: Int
  var reason: String
  var message: String?
  var startedAt: Date
  var finishedAt: Date
}

extension Duration {
  /// As Go prints a duration of whole seconds: `10s`, `2m40s`, `5m0s`.
  var kubernetesText: String {
    let total = components.seconds
    return total < 60 ? "\(total)s" : "\(total / 60)m\(total % 60)s"
  }
}
