// swift-tools-version: 6.3
// The architecture, read top to bottom: a target may import only what its row names (hack/lint checks the imports).
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  // An async function runs where its caller runs: what starts on an event loop stays on it.
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// What every request passes through. The compiler checks exclusive access to memory; its checks at run time, on in the
/// tests, are left out of the release: they cost 2-3 % of a request (docs/decisions/0007).
let dataPath = settings + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

func library(
  _ name: String, _ dependencies: [Target.Dependency] = [], _ swiftSettings: [SwiftSetting] = settings
) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
  name: "pilotlight",
  products: [.executable(name: "pilotlight", targets: ["pilotlight"])],
  targets: [
    // C: what Swift cannot import by itself.
    .target(name: "CLinux"),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),

    // Values: no input or output, no clock.
    library("Telemetry"),
    library("HTTPWire", [], dataPath),
    library("KubernetesAPI"),
    library("TimeZones"),
    library("Decisions", ["TimeZones"]),
    library("ObjectStore", ["KubernetesAPI"]),
    library("InferenceAPI", ["KubernetesAPI", "Decisions"]),
    library("FleetProtocol", ["Decisions"]),

    // The edges: sockets, TLS, the API server.
    library("EventLoop", ["CLinux", "COpenSSL", "HTTPWire", "Telemetry"], dataPath),
    library("KubernetesClient", ["KubernetesAPI", "Telemetry"]),
    library("CurlTransport", ["KubernetesClient", "CCurl", "CLinux", "Telemetry"]),
    library("ControllerRuntime", ["KubernetesClient", "Telemetry"]),

    // The parts a user meets.
    library("Operator", ["ControllerRuntime", "InferenceAPI", "FleetProtocol"]),
    library("Gateway", ["EventLoop", "FleetProtocol"], dataPath),
    library("GatewayCluster", ["Gateway", "ControllerRuntime", "InferenceAPI"]),
    library("Sandbox", ["EventLoop", "ObjectStore", "InferenceAPI"]),
    library("Simulation", ["Decisions", "FleetProtocol"]),
    .executableTarget(
      name: "pilotlight",
      dependencies: [
        "CurlTransport", "GatewayCluster", "Operator", "Sandbox", "Simulation",
      ],
      swiftSettings: settings),

    .executableTarget(
      name: "simulate-faults",
      dependencies: ["Operator", "ObjectStore", "CSwiftRuntime"], path: "Tests/FaultSimulation",
      swiftSettings: settings),
    .target(name: "CSwiftRuntime", path: "Tests/CSwiftRuntime"),
    .executableTarget(
      name: "measure-decisions", dependencies: ["Decisions"], path: "Tests/DecisionCost", swiftSettings: settings),
    .executableTarget(
      name: "measure-ledger", dependencies: ["Operator"], path: "Tests/LedgerCost", swiftSettings: settings),
    tests("TelemetryTests", ["Telemetry"]),
    tests("HTTPWireTests", ["HTTPWire"]),
    tests("EventLoopTests", ["EventLoop"]),
    tests("KubernetesAPITests", ["KubernetesAPI"]),
    tests("ObjectStoreTests", ["ObjectStore"]),
    tests("KubernetesClientTests", ["KubernetesClient", "CurlTransport", "EventLoop"]),
    tests("ControllerRuntimeTests", ["ControllerRuntime"]),
    tests("TimeZonesTests", ["TimeZones"]),
    tests("DecisionsTests", ["Decisions", "TimeZones"]),
    tests("InferenceAPITests", ["InferenceAPI"]),
    tests("FleetProtocolTests", ["FleetProtocol"]),
    tests("OperatorTests", ["Operator", "ObjectStore"]),
    tests("GatewayTests", ["Gateway", "GatewayCluster"]),
    tests("SandboxTests", ["Sandbox", "CurlTransport"]),
    tests("SimulationTests", ["Simulation"]),
    tests("PilotlightTests", ["pilotlight"]),
  ]
)
