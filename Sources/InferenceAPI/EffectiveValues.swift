import KubernetesAPI

/// Defaults that depend on other fields.
extension InferenceService {
  /// What the server in the pods calls the model.
  public var modelName: String { spec.model.name ?? key.name }

  /// Names by which callers may ask for the model: the object's, the server's, aliases and adapters, without repetition.
  public var callerNames: [String] {
    var names: [String] = []
    for name in [key.name, modelName] + spec.model.aliases + spec.model.adapters where !names.contains(name) {
      names.append(name)
    }
    return names
  }

  /// Load that a burst replica should carry, in the unit of `spec.scaling.metric`.
  public var target: Int {
    if let target = spec.scaling.target { return target }
    // An objective finds out by itself how full replicas may be: then only what has no slot asks for another one.
    if spec.scaling.objective != nil { return spec.scaling.maxConcurrency ?? 2 * Self.defaultTarget }
    return min(Self.defaultTarget, spec.scaling.maxConcurrency ?? Self.defaultTarget)
  }

  /// Most requests that a burst replica is given at once.
  public var maxConcurrency: Int {
    if let explicit = spec.scaling.maxConcurrency { return explicit }
    if spec.scaling.objective != nil, spec.scaling.target == nil { return target }
    return spec.scaling.metric == .concurrency ? 2 * target : Self.defaultMaxConcurrency
  }

  /// Most requests that a dedicated replica is given at once.
  public var dedicatedMaxConcurrency: Int { spec.dedicated.maxConcurrency ?? maxConcurrency }

  /// Load that a dedicated replica should carry: its share of ``target`` is that of its concurrency.
  public var dedicatedTarget: Double {
    Double(target) * Double(dedicatedMaxConcurrency) / Double(maxConcurrency)
  }

  private static let defaultTarget = 8
  private static let defaultMaxConcurrency = 64
}
