import Decisions

/// The policies that a trace can be replayed under.
public enum SimulatedPolicy: Hashable, Sendable, CustomStringConvertible {
  /// The production decision with the given policy.
  case pilotlight
  /// The same with idle windows of each model's own (`sleepAfter: Auto`).
  case pilotlightAuto
  /// The same, and a sleeping model is woken ahead of a request that is expected (`mode: Predictive`).
  case pilotlightPredictive
  /// As many replicas as were ever needed at once, all the time.
  case alwaysOn
  /// One replica all the time, or the dedicated ones, and those beyond them that were needed, while they were.
  case floorOnDemand
  /// A fixed idle window in microseconds; nil: the given policy's `sleepAfter`.
  case fixed(Int64?)
  /// Knative's autoscaler with its defaults.
  case knative
  /// KEDA with the HTTP add-on and its defaults.
  case keda
  /// The hybrid histogram of "Serverless in the Wild".
  case hybridHistogram
  /// The single fixed window that would have cost least.
  case bestFixed
  /// The clairvoyant optimum for idle windows.
  case optimum

  /// By the names of `--policies`, and what each is written as there.
  public static let names = [
    "pilotlight", "pilotlight-auto", "pilotlight-predictive", "always-on", "floor-on-demand", "fixed", "kpa", "keda",
    "hybrid-histogram",
    "best-fixed", "optimum",
  ]

  /// - Parameters:
  ///   - text: one of ``names``, or `fixed:DURATION`.
  ///   - duration: reads a duration such as `90s`.
  public init?(_ text: String, duration: (String) -> Duration?) {
    switch text {
    case "pilotlight": self = .pilotlight
    case "pilotlight-auto": self = .pilotlightAuto
    case "pilotlight-predictive": self = .pilotlightPredictive
    case "always-on": self = .alwaysOn
    case "floor-on-demand": self = .floorOnDemand
    case "fixed": self = .fixed(nil)
    case "kpa": self = .knative
    case "keda": self = .keda
    case "hybrid-histogram": self = .hybridHistogram
    case "best-fixed": self = .bestFixed
    case "optimum": self = .optimum
    default:
      guard text.hasPrefix("fixed:"), let window = duration(String(text.dropFirst(6))) else { return nil }
      self = .fixed(window.wholeMicroseconds)
    }
  }

  public var description: String {
    switch self {
    case .pilotlight: "pilotlight"
    case .pilotlightAuto: "pilotlight-auto"
    case .pilotlightPredictive: "pilotlight-predictive"
    case .alwaysOn: "always-on"
    case .floorOnDemand: "floor-on-demand"
    case .fixed(let window): window.map { "fixed:\(Duration.microseconds($0).shortText)" } ?? "fixed"
    case .knative: "kpa"
    case .keda: "keda"
    case .hybridHistogram: "hybrid-histogram"
    case .bestFixed: "best-fixed"
    case .optimum: "optimum"
    }
  }

  /// Only defined where a model has one replica at most, without dedicated ones and overflow.
  public var needsOneReplica: Bool { self == .bestFixed || self == .optimum }
}

extension Duration {
  /// Microseconds, rounded down; at most 292,000 years.
  var wholeMicroseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? 1 << 62 : whole + attoseconds / 1_000_000_000_000
  }
}
