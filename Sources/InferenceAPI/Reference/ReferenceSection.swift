/// A block of the spec in the reference manual.
struct ReferenceSection {
  let title: String
  /// Of the block in the schema.
  let path: [String]
  let text: String
  /// YAML below `spec`, without the template.
  let example: String

  private init(_ title: String, _ path: [String], _ text: String, _ example: String) {
    self.title = title
    self.path = path
    self.text = text
    self.example = example
  }

  private static func block(_ name: String, _ text: String, _ example: String) -> ReferenceSection {
    ReferenceSection("spec.\(name)", ["spec", name], text, example)
  }

  static let spec: [ReferenceSection] = [
    ReferenceSection(
      "spec", ["spec"],
      "Fields that belong to no block. The blocks follow, each in a section of its own.", "suspend: true"),
    block(
      "model",
      "What callers ask for, and how the gateway talks to the server in the pods. All of it may be left out: the model is then called like the object and spoken to as OpenAI's API.",
      """
      model:
        name: Qwen/Qwen3-8B         # what the server in the pods calls it
        aliases: [gpt-4o-mini]      # replaced by that name on the way
        adapters: [{ name: sql }]   # LoRA adapters the server has loaded
        port: 8000
      """),
    block(
      "template",
      "The pods, as in a Deployment. The controller tries the template by a dry run before anything changes; condition TemplateValid has the API server's own words.",
      """
      template:
        metadata:
          labels: { team: search }
        spec:
          containers:
            - name: server
              image: vllm/vllm-openai:v0.10.0
              args: [--model=Qwen/Qwen3-8B, --served-model-name=Qwen/Qwen3-8B]
              ports: [{ name: http, containerPort: 8000 }]
              resources: { limits: { nvidia.com/gpu: 1 } }
      """),
    block(
      "dedicated",
      "The pool that never sleeps. With 0 replicas, the default, there is none and the model sleeps at zero.",
      """
      dedicated:
        replicas: 1
        overrides:
          nodeSelector: { cloud.example.com/capacity: reserved }
      """),
    block(
      "burst",
      "The pool that comes with demand and goes with it. Its last replica stops when no request has come for `sleepAfter`.",
      """
      burst:
        maxReplicas: 4
        spareReplicas: 1
        sleepAfter: 15m
        overrides:
          nodeSelector: { cloud.example.com/capacity: spot }
          tolerations: [{ key: cloud.example.com/spot, operator: Exists }]
      """),
    ReferenceSection(
      "spec.dedicated.overrides and spec.burst.overrides", ["spec", "burst", "overrides"],
      "The two pools share one template; these fields say how the pods of one differ. The table shows those of burst; dedicated has the same.",
      """
      burst:
        overrides:
          labels: { tier: spot }
          env: [{ name: CUDA_VISIBLE_DEVICES, value: "0" }]
          resources: { limits: { nvidia.com/gpu: 1 } }
      """),
    block(
      "overflow", "Endpoints outside the cluster that take what the pools cannot.",
      """
      overflow:
        - name: openai
          provider: OpenAI
          url: https://api.openai.com/v1
          model: gpt-4o-mini
          credentialsSecretRef: { name: openai }
          when: [Waking, Saturated]
          price: { perMillionInputTokens: "0.15", perMillionOutputTokens: "0.60" }
          budget: { amount: "50", period: Month }
      """),
    block(
      "scaling",
      "Load is averaged over a window and divided by the target; the result is the number of replicas that the load asks for, over both pools.",
      """
      scaling:
        metric: Concurrency
        target: 8            # what a replica should carry on average
        maxConcurrency: 16   # what it is given at most
        stableWindow: 60s
        scaleDownDelay: 5m
      """),
    block(
      "queue",
      "Requests for which no replica is free, or awake, wait at the gateway. These are the bounds of the wait.",
      """
      queue:
        maxRequests: 500
        maxWait: 5m
        tenantSharePercent: 50
      """),
    block(
      "timeouts", "None of these cuts an answer that flows.",
      """
      timeouts:
        startup: 45m   # a model of 400 GB from a slow disk
        response: 2m
        drain: 10m
      """),
    block(
      "routing", "Rules sort requests by what they ask for: who goes first, how long they wait, which pools they use.",
      """
      routing:
        rules:
          - name: batch
            match: { headers: [{ name: x-batch, value: "1" }] }
            order: [Burst]
            urgency: 6
            maxWait: 30m
      """),
    block(
      "rollout", "How a new template replaces the old one. No stream is cut: a replica that is replaced drains first.",
      """
      rollout:
        maxSurge: 0          # no accelerator to spare
        maxUnavailable: 1
      """),
    block(
      "access", "Who may call this model, and how much.",
      """
      access:
        apiKeysSecretRef: { name: llm-keys }
        rateLimits: [{ tenant: "*", requestsPerMinute: 600 }]
      """),
    block(
      "economics", "Prices, from which the cost and the saving in the status are computed.",
      """
      economics:
        currency: EUR
        dedicated: { hourlyPrice: "2.10", powerWatts: 700 }
        burst: { hourlyPrice: "2.99", powerWatts: 700 }
        carbonGramsPerKWh: 380
      """),
  ]
}
