import CLinux
import Glibc

/// The files of a sandbox.
struct StateDirectory: Sendable {
  let path: String

  /// Makes the folder and its subfolders.
  /// - Throws: ``SandboxError`` when that cannot be done.
  init(_ path: String) throws(SandboxError) {
    var absolute = path
    if !path.hasPrefix("/") {
      var buffer = [CChar](repeating: 0, count: 4096)
      guard let current = getcwd(&buffer, buffer.count) else {
        throw SandboxError("the current folder cannot be read: \(SystemError.text(cl_errno()))")
      }
      absolute = "\(String(cString: current))/\(path)"
    }
    self.path = absolute
    for folder in [absolute, "\(absolute)/pods", "\(absolute)/logs"] { try make(folder) }
  }

  var kubeconfig: String { "\(path)/kubeconfig" }
  var description: String { "\(path)/sandbox.json" }
  var audit: String { "\(path)/audit.jsonl" }
  func log(_ name: String) -> String { "\(path)/logs/\(name).log" }

  /// Replaces a file in one step: a reader sees the old or the new one, whole.
  func write(_ text: String, to file: String, mode: mode_t) throws(SandboxError) {
    let temporary = "\(file).new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw Self.failure(temporary) }
    let bytes = Array(text.utf8)
    let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    close(descriptor)
    guard written == bytes.count, rename(temporary, file) == 0 else { throw Self.failure(file) }
  }

  /// Makes a folder and those above it.
  func make(_ folder: String) throws(SandboxError) {
    var partial = ""
    for part in folder.split(separator: "/") {
      partial += "/\(part)"
      if mkdir(partial, 0o755) != 0, cl_errno() != EEXIST { throw Self.failure(partial) }
    }
  }

  private static func failure(_ path: String) -> SandboxError {
    SandboxError("\(path): \(SystemError.text(cl_errno())); choose another folder with --state-dir")
  }
}
