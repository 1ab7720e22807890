import KubernetesAPI
import KubernetesClient

/// What a failed list or watch means to those who want to go on.
public enum RequestFailure: Hashable, Sendable {
  /// The resource version or continue token is too old (410), or newer than the server's present.
  case expired
  /// The server does not know the type (404): its CustomResourceDefinition is not installed, or was removed.
  case absent
  /// The reader was too slow for the stream.
  case overflow
  /// Anything else: the same again later, not before what the server asks for.
  case passing(retryAfter: Duration?)

  init(_ status: KubernetesStatus) {
    if status.isGone || status.isTooLargeResourceVersion {
      self = .expired
    } else if status.isNotFound {
      // A list of a known type is never not found, even in a namespace that is not there.
      self = .absent
    } else {
      self = .passing(retryAfter: status.retryAfter)
    }
  }

  /// Any error of ``KubernetesClient``.
  public init(_ error: any Error) {
    switch error {
    case let status as KubernetesStatus: self.init(status)
    case let error as TransportError where error.code == .overflow: self = .overflow
    default: self = .passing(retryAfter: nil)
    }
  }
}
