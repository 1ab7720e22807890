import Glibc

/// The one binary: its first argument names what it does. A file of its own holds each command.
@main
struct Pilotlight {
  static func main() async {
    // A peer that closes its end must be an error of one write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    TerminationSignals.block()
    exit(await run(Array(CommandLine.arguments.dropFirst())))
  }

  /// Runs a command; 2 when the arguments are wrong.
  static func run(_ arguments: [String]) async -> Int32 {
    guard let name = arguments.first else {
      Console.printError(help)
      return 2
    }
    let rest = Array(arguments.dropFirst())
    switch name {
    case "version", "--version":
      Console.print("pilotlight \(Version.current)")
      return 0
    case "help", "--help", "-h":
      Console.print(help)
      return 0
    default:
      guard let command = commands[name] else {
        Console.printError("pilotlight: unknown command '\(name)'; 'pilotlight help' lists the commands")
        return 2
      }
      return await command(rest)
    }
  }

  typealias Command = @Sendable ([String]) async -> Int32

  private static let commands: [String: Command] = [
    "controller": ControllerCommand.run,
    "crd": { CRDCommand.run($0) },
    "gateway": GatewayCommand.run,
    "model-stub": ModelStubCommand.run,
    "replay": ReplayCommand.run,
    "report": ReportCommand.run,
    "sandbox": SandboxCommand.run,
    "sandbox-reaper": SandboxReaperCommand.run,
    "simulate": SimulateCommand.run,
  ]

  static let help = """
    pilotlight \(Version.current): serverless inference on any Kubernetes cluster

      pilotlight controller     reconciles InferenceServices and scales their pools
      pilotlight gateway        holds, places and proxies the requests of every model
      pilotlight sandbox        a Kubernetes API, its controllers and a process kubelet on this machine
      pilotlight model-stub     a stand-in for a model server, for trials and tests
      pilotlight simulate       replays a request trace with the scaling decision
      pilotlight replay         computes recorded scaling decisions again
      pilotlight report         what models used, cost and saved
      pilotlight crd            prints the CustomResourceDefinition
      pilotlight version        prints the version

    'pilotlight COMMAND --help' tells a command's options.
    """
}
