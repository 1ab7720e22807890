import Glibc

/// A program to start.
struct ProcessCommand: Sendable {
  /// The program and its arguments; a program without a slash is looked for in PATH of `environment`.
  var arguments: [String]
  /// `NAME=value`.
  var environment: [String]
  /// Nil: the sandbox's own.
  var directory: String?

  /// Why a program does not start, in the words of a container runtime.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// The program's path: as given when it has a slash, else the first executable file of that name in PATH.
  func resolvedPath() throws(Failure) -> String {
    guard let program = arguments.first, !program.isEmpty else { throw Failure(description: "the command is empty") }
    if program.contains("/") { return program }
    let path = environment.first { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? "/usr/local/bin:/usr/bin:/bin"
    for folder in path.split(separator: ":") {
      let candidate = "\(folder)/\(program)"
      if access(candidate, X_OK) == 0 { return candidate }
    }
    throw Failure(description: "exec: \"\(program)\": executable file not found in $PATH (\(path))")
  }
}
