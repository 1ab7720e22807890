import Testing

@testable import pilotlight

struct ArgumentScannerTests {
  @Test("options are taken as two words or one, flags alone, and nothing is left over")
  func takesOptions() throws {
    var scanner = ArgumentScanner(["--port", "80", "--name=x", "--verbose", "file", "--", "--not-ours"])
    #expect(try scanner.integer("--port", default: 1, in: 1...65535) == 80)
    #expect(try scanner.text("--name") == "x")
    let verbose = scanner.flag("--verbose")
    #expect(verbose)
    #expect(scanner.positional() == "file")
    #expect(scanner.rest == ["--not-ours"])
    try scanner.finish()
  }

  @Test(
    "what is wrong is named",
    arguments: [
      (["--port", "eighty"], "--port: 'eighty' is not a number from 1 to 65535"),
      (["--port", "70000"], "--port: '70000' is not a number from 1 to 65535"),
      (["--port"], "--port needs a value"),
      (["--prot", "80"], "unknown argument '--prot'"),
      (["--wait", "10 minutes"], "--wait: '10 minutes' is not a duration such as 250ms, 90s or 1h30m"),
    ])
  func namesProblems(arguments: [String], message: String) {
    #expect(throws: ArgumentScanner.Problem(message)) {
      var scanner = ArgumentScanner(arguments)
      _ = try scanner.integer("--port", default: 8080, in: 1...65535)
      _ = try scanner.duration("--wait", default: .zero)
      try scanner.finish()
    }
  }
}
