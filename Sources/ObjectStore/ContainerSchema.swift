import KubernetesAPI

/// Schema of `core/v1 Container`.
enum ContainerSchema {
  static let container: SchemaNode = .object(
    "A single application container that you want to run within a pod.",
    [
      ("args", .list(.string(), "Arguments to the entrypoint.")),
      ("command", .list(.string(), "Entrypoint array. Not executed within a shell.")),
      ("env", .keyed(["name"], environmentVariable, "Environment variables to set in the container.")),
      ("envFrom", .list(environmentSource, "Sources to populate environment variables in the container.")),
      ("image", .string("Container image name.")),
      ("imagePullPolicy", .string("Image pull policy.", oneOf: ["Always", "IfNotPresent", "Never"])),
      ("lifecycle", lifecycle),
      ("livenessProbe", probe("Periodic probe of container liveness. The container is restarted when it fails.")),
      ("name", .string("Name of the container, a DNS label, unique in the pod.")),
      ("ports", .keyed(["containerPort", "protocol"], port, "Ports to expose from the container.")),
      ("readinessProbe", probe("Periodic probe of container service readiness.")),
      ("resizePolicy", .list(.opaque(), "Resources resize policy for the container.")),
      ("resources", resources),
      ("restartPolicy", .string("Restart behaviour of an init container.")),
      ("securityContext", securityContext),
      ("startupProbe", probe("Indicates that the pod has successfully initialized; no other probe runs before.")),
      ("stdin", .boolean("Whether this container should allocate a buffer for stdin.")),
      ("stdinOnce", .boolean("Whether stdin is closed after one attach.")),
      ("targetContainerName", .string("Of an ephemeral container: the container whose namespaces it joins.")),
      (
        "terminationMessagePath",
        .string("File to which the termination message is written.", default: "/dev/termination-log")
      ),
      (
        "terminationMessagePolicy",
        .string("How the termination message is populated.", default: "File", oneOf: ["File", "FallbackToLogsOnError"])
      ),
      ("tty", .boolean("Whether this container should allocate a TTY.")),
      ("volumeDevices", .keyed(["devicePath"], volumeDevice, "Block devices to be used by the container.")),
      ("volumeMounts", .keyed(["mountPath"], volumeMount, "Pod volumes to mount into the container's filesystem.")),
      ("workingDir", .string("Container's working directory.")),
    ], required: ["name"])

  private static let optionalKey: SchemaNode.Fields = [
    ("key", .string("The key to select.")), ("name", .string("Name of the referent.", default: "")),
    ("optional", .boolean("Whether it may be absent.")),
  ]

  private static let environmentVariable: SchemaNode = .object(
    "An environment variable.",
    [
      ("name", .string("Name of the variable.")),
      ("value", .string("Value; $(VAR) references are expanded.")),
      (
        "valueFrom",
        .object(
          "Source for the variable's value.",
          [
            ("configMapKeyRef", .object("A key of a ConfigMap.", optionalKey, required: ["key"], isAtomic: true)),
            (
              "fieldRef",
              .object(
                "A field of the pod, such as metadata.name or status.podIP.",
                [("apiVersion", .string(default: "v1")), ("fieldPath", .string("Path of the field."))],
                required: ["fieldPath"], isAtomic: true)
            ),
            (
              "resourceFieldRef",
              .object(
                "A resource of the container, such as limits.cpu.",
                [("containerName", .string()), ("divisor", .intOrString()), ("resource", .string())],
                required: ["resource"], isAtomic: true)
            ),
            ("secretKeyRef", .object("A key of a Secret.", optionalKey, required: ["key"], isAtomic: true)),
          ])
      ),
    ], required: ["name"])

  private static let environmentSource: SchemaNode = .object(
    "A source of a set of environment variables.",
    [
      ("configMapRef", .object("The ConfigMap to select from.", [("name", .string()), ("optional", .boolean())])),
      ("prefix", .string("Text to prepend to the name of each variable.")),
      ("secretRef", .object("The Secret to select from.", [("name", .string()), ("optional", .boolean())])),
    ])

  private static let port: SchemaNode = .object(
    "A network port in a single container.",
    [
      ("containerPort", .integer("Number of port to expose on the pod's IP address.")),
      ("hostIP", .string("What host IP to bind the external port to.")),
      ("hostPort", .integer("Number of port to expose on the host.")),
      ("name", .string("An IANA service name, unique in the pod.")),
      ("protocol", .string("Protocol for port.", default: "TCP", oneOf: ["UDP", "TCP", "SCTP"])),
    ], required: ["containerPort"])

  private static let resources: SchemaNode = .object(
    "Compute resources required by this container.",
    [
      (
        "claims",
        .keyed(["name"], .object(nil, [("name", .string()), ("request", .string())]), "Names of resource claims.")
      ),
      ("limits", .map(.intOrString(), "Maximum amount of compute resources allowed.")),
      ("requests", .map(.intOrString(), "Minimum amount of compute resources required.")),
    ], default: [:])

  private static let volumeMount: SchemaNode = .object(
    "A mounting of a volume within a container.",
    [
      ("mountPath", .string("Path within the container.")), ("mountPropagation", .string()),
      ("name", .string("Name of a volume.")), ("readOnly", .boolean()), ("recursiveReadOnly", .string()),
      ("subPath", .string("Path within the volume.")), ("subPathExpr", .string()),
    ], required: ["mountPath", "name"])

  private static let volumeDevice: SchemaNode = .object(
    nil, [("devicePath", .string()), ("name", .string())], required: ["devicePath", "name"])

  // MARK: Probes and handlers

  private static let exec: SchemaNode = .object(
    "A command to execute in the container.", [("command", .list(.string(), "Not executed within a shell."))])
  private static let httpGet: SchemaNode = .object(
    "An HTTP GET request to perform.",
    [
      ("host", .string("Host name to connect to, defaults to the pod IP.")),
      (
        "httpHeaders",
        .list(
          .object(nil, [("name", .string()), ("value", .string())], required: ["name", "value"]), "Custom headers.")
      ),
      ("path", .string("Path to access on the HTTP server.", default: "/")),
      ("port", .intOrString("Name or number of the port to access.")),
      ("scheme", .string("Scheme to use for connecting to the host.", default: "HTTP", oneOf: ["HTTP", "HTTPS"])),
    ], required: ["port"])
  private static let tcpSocket: SchemaNode = .object(
    "A connection to a TCP port.", [("host", .string()), ("port", .intOrString())], required: ["port"])
  private static let handlers: SchemaNode.Fields = [
    ("exec", exec), ("httpGet", httpGet), ("tcpSocket", tcpSocket),
  ]

  private static let lifecycle: SchemaNode = .object(
    "Actions that the management system should take in response to container lifecycle events.",
    [
      ("postStart", .object("Called right after a container is created.", hookHandlers)),
      ("preStop", .object("Called right before a container is terminated.", hookHandlers)),
      ("stopSignal", .string("Signal that is sent to a container when it is being stopped.")),
    ])
  private static let hookHandlers: SchemaNode.Fields =
    handlers + [("sleep", .object(nil, [("seconds", .integer())], required: ["seconds"]))]

  private static func probe(_ description: String) -> SchemaNode {
    .object(
      description,
      handlers + [
        ("failureThreshold", .integer("Failures in a row that count as failed.", default: 3)),
        (
          "grpc",
          .object(
            "A GRPC health check.", [("port", .integer()), ("service", .string(default: ""))], required: ["port"])
        ),
        ("initialDelaySeconds", .integer("Seconds after the container has started before probes begin.")),
        ("periodSeconds", .integer("How often to perform the probe.", default: 10)),
        ("successThreshold", .integer("Successes in a row that count as succeeded.", default: 1)),
        ("terminationGracePeriodSeconds", .integer("Seconds to terminate gracefully upon probe failure.")),
        ("timeoutSeconds", .integer("Seconds after which the probe times out.", default: 1)),
      ])
  }

  // MARK: Security

  static let seccompProfile: SchemaNode = .object(nil, [("localhostProfile", .string()), ("type", .string())])
  static let seLinuxOptions: SchemaNode = .object(
    nil, [("level", .string()), ("role", .string()), ("type", .string()), ("user", .string())])

  private static let securityContext: SchemaNode = .object(
    "Security options the container should be run with.",
    [
      ("allowPrivilegeEscalation", .boolean()), ("appArmorProfile", seccompProfile),
      ("capabilities", .object(nil, [("add", .list(.string())), ("drop", .list(.string()))])),
      ("privileged", .boolean()), ("procMount", .string()), ("readOnlyRootFilesystem", .boolean()),
      ("runAsGroup", .integer()), ("runAsNonRoot", .boolean()), ("runAsUser", .integer()),
      ("seLinuxOptions", seLinuxOptions), ("seccompProfile", seccompProfile), ("windowsOptions", .opaque()),
    ])
}
