/// What a sandbox is made of.
public struct SandboxConfiguration: Sendable {
  /// Where kubeconfig, logs and `sandbox.json` go; made when absent.
  public var stateDirectory: String
  /// Port of the Kubernetes API on 127.0.0.1; 0: any free one.
  public var apiPort = 0
  /// Port of the first gateway on 127.0.0.1, the next ones follow; 0: any free ones.
  public var httpPort = 8080
  public var gatewayCount = 1
  /// What the node offers to pods, by resource name.
  public var allocatable = ["cpu": "64", "memory": "256Gi", "pods": "250", "nvidia.com/gpu": "8"]
  /// Where each request to the API leaves a line; nil: `audit.jsonl` in the state directory.
  public var auditLog: String?
  /// How long the tokens of controller and gateways hold, in whole seconds; they are renewed after four fifths of it.
  public var tokenLifetime: Duration = .seconds(3600)
  public var nodeLabels: [String: String] = [:]
  /// Whether containers that have not passed a probe yet are asked once a period, as a real kubelet does; otherwise far more
  /// often, so that nobody waits for readiness to be seen.
  public var probesByPeriod = false
  /// Whether gateways have a port on which they speak TLS with the controller.
  public var encryptsFleet = false
  /// Where pods run that name no `workingDir`; nil: where the sandbox runs.
  public var workingDirectory: String?
  /// Variables that pods get as if from their image: PATH and such.
  public var imageEnvironment: [String: String] = [:]
  /// Starts the controller; nil: none is started.
  public var controllerCommand: (@Sendable (ControllerPlace) -> [String])?
  /// Starts one gateway; nil: none is started.
  public var gatewayCommand: (@Sendable (GatewayPlace) -> [String])?
  /// Starts the reaper (`pilotlight sandbox-reaper`), to which the marker is appended; nil: none.
  public var reaperCommand: [String]?
  /// As the API server's `/version` and the Node tell.
  public var version = "v1.33.0+pilotlight-sandbox"

  /// Where the controller finds what it needs.
  public struct ControllerPlace: Sendable {
    public var kubeconfig: String
    /// The token to show at the gateways' admin ports.
    public var gatewayTokenFile: String
    /// Free, on 127.0.0.1.
    public var adminPort: Int
    /// Of the first gateway; nil without one.
    public var gatewayURL: String?
  }

  /// What one gateway is to be.
  public struct GatewayPlace: Sendable {
    public var kubeconfig: String
    /// From 0.
    public var index: Int
    /// For clients, on 127.0.0.1.
    public var httpPort: Int
    /// For the controller and for metrics, on 127.0.0.1.
    public var adminPort: Int
    /// For the controller over TLS, on 127.0.0.1; nil: it speaks plain HTTP with the admin port.
    public var fleetPort: Int?
  }

  public init(stateDirectory: String) { self.stateDirectory = stateDirectory }
}

/// Where a running sandbox is reached.
public struct SandboxEndpoints: Sendable {
  /// `https://127.0.0.1:PORT`.
  public var server: String
  /// Path of the kubeconfig.
  public var kubeconfig: String
  /// Path of `sandbox.json`, which tells all of this and the process ids.
  public var description: String
  /// `http://127.0.0.1:PORT` of each gateway.
  public var gateways: [String]
}

/// Why a sandbox cannot start, in one line that says what to do.
public struct SandboxError: Error, Hashable, Sendable, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}
