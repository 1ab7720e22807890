/// What the reference manual says between its tables.
enum ReferenceText {
  static let introduction = """
    An InferenceService serves one model. It sleeps at zero replicas, wakes on the first request, which is held meanwhile, and may
    keep replicas that are always on. `kubectl explain infsvc.spec` tells the same as this page.

    A service needs no more than a pod template:
    """

  static let completeExample = """
    apiVersion: serving.pilotlight.dev/v1alpha1
    kind: InferenceService
    metadata:
      name: qwen3-8b
    spec:
      template:
        spec:
          containers:
            - name: server
              image: vllm/vllm-openai:v0.10.0
              args: [--model=Qwen/Qwen3-8B, --served-model-name=qwen3-8b]
              ports: [{ containerPort: 8000 }]
              readinessProbe: { httpGet: { path: /health, port: 8000 } }
              resources: { limits: { nvidia.com/gpu: 1 } }
    """

  static let howToRead = """
    How to read the tables:

    - A **duration** is one of the Gateway API: whole numbers with `h`, `m`, `s` or `ms`, such as `90s` or `1h30m`.
    - A **decimal in quotes** is a price such as `"2.99"`.
    - A **time** is one of RFC 3339, in UTC.
    - A field or value that **is not acted on by this version** is taken by the API, and the service then has `Ready=False` with
      reason `UnsupportedField`: no wish is ignored silently.
    - A field that is not known is refused by `kubectl apply`; one that breaks a rule is refused by the API server, with the
      message that stands here.

    The examples stand below `spec`.
    """

  static let status = """
    Written by the controller, at most every 15 s where only load has changed. A block that there is nothing to say about is left
    out: `overflow` where no field of that name is acted on, `coldStart` before the first wake. `display` is for `kubectl get`; programs
    read the other fields.
    """

  static let conditions = """
    Every condition has `status`, `reason`, `message`, `lastTransitionTime` and `observedGeneration`. To wait for one:
    `kubectl wait infsvc/NAME --for=condition=Ready`. The kubelet's own words (`CrashLoopBackOff`, `ImagePullBackOff`, ...) are reasons,
    too, with the last words of the container in the message.
    """

  static let scale = """
    `kubectl scale infsvc/NAME --replicas=N` sets the dedicated pool; the burst pool is the autoscaler's.
    """
}
