import CLinux
import FoundationEssentials
import Glibc
import KubernetesAPI

/// What one instance of a container wrote: a file of lines `TIME stdout F TEXT` (CRI logging format), bounded by rotation.
///
/// Confined to the sandbox's loop.
final class ContainerLog {
  /// A file of this size is set aside as `PATH.1`, in the place of an older one.
  static let rotationSize = 10 << 20
  /// A longer line is written in parts, tagged `P`.
  static let partSize = 16 << 10
  /// How much of the end is kept for ``lastWords`` (kubelet: `MaxContainerTerminationMessageLogLength`).
  static let tailSize = 2048

  let path: String
  /// How often the file was set aside; a reader at its end looks for a new file when this grew.
  private(set) var rotations = 0
  /// Nothing more will come.
  private(set) var isFinished = false
  private var descriptor: Int32
  private var size = 0
  private var partial: [UInt8] = []
  private var tail: [UInt8] = []
  private var waiters: [() -> Void] = []

  /// Opens a new, empty file; without one (a full disk) the log is only kept as last words.
  init(path: String) {
    self.path = path
    descriptor = Self.create(path)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The end of the log, whole lines where possible.
  var lastWords: String {
    var text = String(decoding: tail, as: UTF8.self)
    if tail.count >= Self.tailSize, let newline = text.firstIndex(of: "\n") {
      text = String(text[text.index(after: newline)...])
    }
    return text
  }

  /// Takes output; complete lines are written under the time `now`.
  func append(_ bytes: ArraySlice<UInt8>, now: Date) {
    tail += bytes.suffix(Self.tailSize)
    if tail.count > Self.tailSize { tail.removeFirst(tail.count - Self.tailSize) }
    let prefix = Array("\(Timestamp.microseconds(now).dropLast())000Z stdout ".utf8)
    var output: [UInt8] = []
    var rest = bytes
    while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
      output += prefix + [UInt8(ascii: "F"), UInt8(ascii: " ")] + partial + rest[..<newline] + [UInt8(ascii: "\n")]
      partial = []
      rest = rest[(newline + 1)...]
    }
    partial += rest
    while partial.count > Self.partSize {
      output += prefix + [UInt8(ascii: "P"), UInt8(ascii: " ")] + partial.prefix(Self.partSize) + [UInt8(ascii: "\n")]
      partial.removeFirst(Self.partSize)
    }
    write(output)
  }

  /// Ends the log; a last line without a newline is completed.
  func finish(now: Date) {
    guard !isFinished else { return }
    if !partial.isEmpty {
      let rest = tail
      append([UInt8(ascii: "\n")], now: now)
      tail = rest
    }
    isFinished = true
    notify()
  }

  /// Calls `body` once, when there is more to read or the log has ended.
  func whenChanged(_ body: @escaping () -> Void) { waiters.append(body) }

  private func write(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    if size > 0, size + bytes.count > Self.rotationSize { rotate() }
    if descriptor >= 0 {
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, cl_errno() == EINTR { continue }
        // A full disk loses log lines, never the pod.
        guard count > 0 else { break }
        rest = rest.dropFirst(count)
      }
      size += bytes.count - rest.count
    }
    notify()
  }

  private func rotate() {
    if descriptor >= 0 { close(descriptor) }
    rename(path, path + ".1")
    descriptor = Self.create(path)
    size = 0
    rotations += 1
  }

  private func notify() {
    let ready = waiters
    waiters = []
    for body in ready { body() }
  }

  private static func create(_ path: String) -> Int32 {
    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644)
  }
}
