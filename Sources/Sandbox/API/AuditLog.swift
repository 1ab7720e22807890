import CLinux
import EventLoop
import FoundationEssentials
import Glibc
import KubernetesAPI
import ObjectStore
import Telemetry

/// Writes one line of JSON for each request: who asked for what, and how it was answered; a watch when it begins.
///
/// Neither rotated nor bounded: a sandbox does not live long. Lines are gathered for up to 100 ms. Confined to its loop.
final class AuditLog {
  private static let gathering = Duration.milliseconds(100)
  private static let bufferLimit = 64 << 10

  private let path: String
  private let descriptor: Int32
  private let loop: EventLoop
  private let log: Log
  private var buffer: [UInt8] = []
  private var isFlushDue = false
  private var hasFailed = false

  /// - Throws: ``SandboxError`` when the file cannot be made.
  init(path: String, loop: EventLoop, log: Log) throws(SandboxError) {
    self.path = path
    self.loop = loop
    self.log = log
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw SandboxError(
        "the audit log \(path) cannot be written: \(SystemError.text(cl_errno())); choose another with --audit-log")
    }
  }

  deinit { close(descriptor) }

  /// - Parameter code: HTTP status of the answer.
  func record(_ request: APIRequest, code: Int) {
    let asked = AccessRequest(request)
    var line: JSONValue = [
      "time": .string(Timestamp.microseconds(loop.wallClock)), "user": .string(asked.user.name),
      "verb": .string(asked.verb), "code": JSONValue(code),
    ]
    switch asked.target {
    case .path(let path): line["path"] = .string(path)
    case .resource(let resource):
      line["apiGroup"] = .string(resource.group)
      line["resource"] = .string(resource.resource)
      line["subresource"] = .string(resource.subresource)
      line["namespace"] = .string(resource.namespace)
      line["name"] = .string(resource.name)
    }
    buffer += line.bytes
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.bufferLimit { flush() } else { flushLater() }
  }

  /// Writes what is gathered.
  func flush() {
    guard !buffer.isEmpty else { return }
    let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if count != buffer.count, !hasFailed {
      hasFailed = true
      log.warning("the audit log has gaps", ["file": path, "error": SystemError.text(cl_errno())])
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private func flushLater() {
    guard !isFlushDue else { return }
    isFlushDue = true
    _ = loop.schedule(after: Self.gathering) { [weak self] in
      self?.isFlushDue = false
      self?.flush()
    }
  }
}
