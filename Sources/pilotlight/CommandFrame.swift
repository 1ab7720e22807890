/// What every command does around its work.
enum CommandFrame {
  /// Prints `help` when it is asked for, else runs `body`; an error becomes one line on standard error.
  ///
  /// - Returns: what `body` says, 2 for wrong arguments, 1 for any other error.
  static func run(
    _ name: String, _ arguments: [String], help: String, _ body: (inout ArgumentScanner) async throws -> Int32
  ) async -> Int32 {
    // What follows `--` is not for this command.
    if arguments.prefix(while: { $0 != "--" }).contains("--help") {
      Console.print(help)
      return 0
    }
    do {
      var scanner = ArgumentScanner(arguments)
      return try await body(&scanner)
    } catch {
      Console.printError("pilotlight \(name): \(error)")
      return error is ArgumentScanner.Problem ? 2 : 1
    }
  }
}
