/// An enumeration of the resource: its cases are the words that the schema takes, in this order.
public protocol SchemaWord: RawRepresentable<String>, CaseIterable, Hashable, Sendable {}

extension SchemaWord {
  static var words: [String] { allCases.map(\.rawValue) }
}

/// What the server in the pods speaks.
public enum InferenceProtocol: String, SchemaWord {
  case openAI = "OpenAI"
  /// Open Inference Protocol, KServe v2.
  case openInference = "OpenInference"
  case kserveV1 = "KServeV1"
  /// Anything else over HTTP.
  case http = "HTTP"
}

public enum Weekday: String, SchemaWord {
  case monday = "Mon"
  case tuesday = "Tue"
  case wednesday = "Wed"
  case thursday = "Thu"
  case friday = "Fri"
  case saturday = "Sat"
  case sunday = "Sun"
}

/// How requests to an overflow endpoint are signed and shaped.
public enum OverflowProvider: String, SchemaWord {
  case openAI = "OpenAI"
  case sageMaker = "SageMaker"
  case lambda = "Lambda"
  case azureML = "AzureML"
  case azureFunctions = "AzureFunctions"
  case cloudRun = "CloudRun"
  case vertexAI = "VertexAI"
  case kserve = "KServe"
  case seldon = "Seldon"
  case http = "HTTP"
}

/// When an overflow endpoint may take a request.
public enum OverflowOccasion: String, SchemaWord {
  case waking = "Waking"
  case saturated = "Saturated"
  case unavailable = "Unavailable"
}

/// Calendar period of a budget, in UTC.
public enum BudgetPeriod: String, SchemaWord {
  case day = "Day"
  case week = "Week"
  case month = "Month"
}

/// What is measured per replica.
public enum ScaledMetric: String, SchemaWord {
  case concurrency = "Concurrency"
  case requestsPerSecond = "RequestsPerSecond"
  case tokensPerSecond = "TokensPerSecond"
}

public enum ScalingMode: String, SchemaWord {
  case reactive = "Reactive"
  case predictive = "Predictive"
}

/// Where a request may go.
public enum RoutingPlace: String, SchemaWord {
  case dedicated = "Dedicated"
  case burst = "Burst"
  case overflow = "Overflow"
}

public enum RolloutStrategy: String, SchemaWord {
  case rollingUpdate = "RollingUpdate"
  case canary = "Canary"
}
