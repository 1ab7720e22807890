import CLinux
import Glibc

/// Calls the C shim with Swift strings.
enum SpawnRequest {
  /// The process id, or a negative error number with the step that failed.
  static func spawn(
    path: String, _ command: ProcessCommand, input: Int32, output: Int32, diesWithCaller: Bool,
    step: inout cl_spawn_step
  ) -> Int32 {
    withCStrings(command.arguments) { arguments in
      withCStrings(command.environment) { environment in
        path.withCString { path in
          withOptionalCString(command.directory) { directory in
            var request = cl_spawn_request(
              path: path, arguments: arguments, environment: environment, directory: directory, input: input,
              output: output, error: output, dies_with_caller: diesWithCaller ? 1 : 0)
            return cl_spawn(&request, &step)
          }
        }
      }
    }
  }

  private static func withOptionalCString<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
  ) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("the terminator is always there") }
      return body(base)
    }
  }
}
