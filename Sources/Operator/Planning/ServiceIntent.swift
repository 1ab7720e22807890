import Decisions
import FoundationEssentials
import KubernetesAPI

/// What the owner of one InferenceService wants, with every default filled in: all that planning reads of the object.
struct ServiceIntent {
  var key: ObjectKey
  var owner: OwnerReference
  var generation: Int
  var created: String
  /// What of the spec cannot be acted on here, as `Ready` says it; nothing is applied then.
  var unsupported: Verdict?
  var policy: ScalingPolicy
  var schedules: [WeeklySchedule] = []
  /// The schedule that sets the policy's dedicated replicas; nil: `spec.dedicated.replicas` does.
  var schedule: WeeklySchedule?
  /// When a schedule begins or ends next.
  var nextChange: Date?
  var economics: Economics
  /// What a replica costs, by pool, for the ledger.
  var rates: [String: LedgerRates] = [:]
  /// What waiting is worth, for `sleepAfter: Auto`; nil: the policy's own `sleepAfter` holds.
  var wakePrice: WakePrice?
  /// A replica may be started for a request that is only expected (`mode: Predictive`).
  var wakesAhead = false
  var startupTimeout: Duration
  var drainTimeout: Duration
  /// Names that callers may use, which another service may claim too.
  var names: [String]
  var hostnames: [String]
  var maxSurge: JSONValue
  var maxUnavailable: JSONValue
  /// Where requests go: a container port's number or name.
  var port: JSONValue
  /// Pod templates with each pool's overrides and our labels; the canary has burst's, and is null where none is wanted.
  var templates: PerPool<JSONValue>
  /// Names the templates: another value, another rollout.
  var templateHash: String
  /// How pools' pods differ from the template.
  var overrides = PerPool<JSONValue?>(dedicated: nil, burst: nil)
  /// How the template reaches the pools.
  var rollout = RolloutPlan(revision: "")
}
