import Glibc

SimulatedExecutor.catchEscapingJobs()
exit(SimulateFaultsCommand(arguments: Array(CommandLine.arguments.dropFirst())).run())
