import HTTPWire
import Telemetry

import struct FoundationEssentials.Date

/// An answer that the gateway gives itself.
struct GatewayError: Error, Equatable, Sendable {
  var status: Int
  /// One word for programs, such as `model_not_found`.
  var code: String
  var message: String
  /// The request's field at fault, for OpenAI's error object.
  var parameter: String?
  /// Seconds.
  var retryAfter: Int?

  init(status: Int, code: String, message: String, parameter: String? = nil, retryAfter: Int? = nil) {
    self.status = status
    self.code = code
    self.message = message
    self.parameter = parameter
    self.retryAfter = retryAfter
  }

  // MARK: - Finding the model

  static func modelNotFound(_ message: String, named model: String?) -> Self {
    Self(
      status: 404, code: model == nil ? "not_found" : "model_not_found", message: message,
      parameter: model == nil ? nil : "model")
  }

  static func badRequest(_ message: String, code: String = "invalid_request", parameter: String? = nil) -> Self {
    Self(status: 400, code: code, message: message, parameter: parameter)
  }

  /// Of which model the body speaks depends on who reads it.
  static func ambiguousModel(_ error: JSONScanError) -> Self {
    badRequest(
      "the body can be read in two ways: \(error.reason) (byte \(error.offset)); its top level may have one member "
        + "\"model\", in lower case", parameter: "model")
  }

  /// The body that must be searched for `model` is too long to keep.
  static func bodyTooLarge(limit: Int, domain: String) -> Self {
    Self(
      status: 413, code: "request_too_large",
      message: "a body whose 'model' must be found may have \(limit) bytes; larger ones are streamed when the model is "
        + "named by the Host <name>.<namespace>.\(domain) or by the path /<namespace>/<name>/...")
  }

  /// CONNECT asks for a tunnel, which a gateway to models is not (RFC 9110, 9.3.6).
  static let noTunnel = Self(
    status: 501, code: "no_tunnel", message: "this gateway makes no tunnels: CONNECT is not served")

  /// TRACE would show a caller what an ingress has added to its request, credentials among it (RFC 9110, 9.3.8). It is a
  /// method that is known and that nothing here allows: 405, not 501.
  static let noTrace = Self(
    status: 405, code: "no_trace", message: "TRACE is not served: requests are not shown to their callers")

  /// An https target is not served on a connection without TLS (RFC 9110, 7.4).
  static let misdirected = Self(
    status: 421, code: "misdirected_request", message: "an https target needs a connection with TLS; this one has none")

  // MARK: - Bounds

  static func requestTooLarge(limit: Int) -> Self {
    Self(
      status: 413, code: "request_too_large", message: "a request body may have \(limit) bytes (--max-body-bytes)")
  }

  static func queueFull(_ service: ServiceRoute, held: Int, retryAfter: Int) -> Self {
    Self(
      status: 429, code: "queue_full",
      message: service.maxHeld == 0
        ? "\(service.key) has no free slot and holds no requests (spec.queue.maxRequests is 0)"
        : "\(held) requests already wait for \(service.key), at most \(service.maxHeld) may",
      retryAfter: retryAfter)
  }

  static func tenantFull(_ service: ServiceRoute, retryAfter: Int) -> Self {
    Self(
      status: 429, code: "tenant_queue_full",
      message: "\(service.tenantLimit) requests of yours already wait for \(service.key), as many as one tenant may "
        + "(spec.queue.tenantSharePercent)",
      retryAfter: retryAfter)
  }

  static func gatewayFull(retryAfter: Int) -> Self {
    Self(
      status: 429, code: "gateway_full", message: "the gateway holds as many requests or bytes as it may",
      retryAfter: retryAfter)
  }

  static func saturated(_ service: ServiceRoute, retryAfter: Int) -> Self {
    Self(
      status: 503, code: "model_overloaded", message: "every replica of \(service.key) is busy", retryAfter: retryAfter)
  }

  // MARK: - Waking

  static func stillWaking(_ service: ServiceRoute, retryAfter: Int) -> Self {
    Self(
      status: 503, code: "model_waking", message: "\(service.key) is waking; it was not ready within the wait",
      retryAfter: retryAfter)
  }

  /// The request is none that wakes a model.
  static func asleep(_ service: ServiceRoute) -> Self {
    Self(
      status: 503, code: "model_asleep",
      message: "\(service.key) is asleep and this kind of request does not wake it; an inference request does")
  }

  static func refusedByController(_ refusal: Refusal, service: ServiceRoute, wallUnix: Double) -> Self {
    let wait = refusal.nextAttempt.map { Int(max(1, ($0.timeIntervalSince1970 - wallUnix).rounded(.up))) }
    return Self(
      status: 503, code: "model_unavailable", message: "\(service.key): \(refusal.reason): \(refusal.message)",
      retryAfter: wait ?? 60)
  }

  static func serviceGone(_ key: ServiceKey) -> Self {
    Self(status: 404, code: "model_not_found", message: "\(key) was deleted", parameter: "model")
  }

  static let notSynced = Self(
    status: 503, code: "gateway_not_ready", message: "the gateway does not know the cluster's services yet",
    retryAfter: 1)

  // MARK: - Upstream

  static func unreachable(_ service: ServiceRoute, problem: String) -> Self {
    Self(
      status: 503, code: "model_unreachable", message: "\(service.key) could not be reached: \(problem)", retryAfter: 1)
  }

  static func badAnswer(_ service: ServiceRoute, problem: String) -> Self {
    Self(status: 502, code: "bad_gateway", message: "\(service.key) answered nonsense: \(problem)")
  }

  static func silent(_ service: ServiceRoute) -> Self {
    Self(
      status: 504, code: "model_timeout",
      message: "\(service.key) sent nothing for \(service.responseTimeout.seconds) s (spec.timeouts.response)")
  }
}
