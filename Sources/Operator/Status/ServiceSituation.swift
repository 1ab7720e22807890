import Decisions
import FoundationEssentials

/// Verdict of the API server on a pod template.
enum TemplateVerdict: Equatable {
  case valid
  /// The server's own words.
  case invalid(String)
  /// It could not be asked.
  case unknown(String)
}

/// Everything that the status of a service is made of, at one moment.
struct ServiceSituation {
  var intent: ServiceIntent
  var template: TemplateVerdict
  /// Names that an older service has.
  var lostNames: [(name: String, owner: String)]
  var url: String
  var pools: PerPool<PoolObservation>
  /// What each pool should have.
  var wanted: PerPool<Int>
  var drain: DrainPlan
  var load: ServiceLoadView
  var failure: WakeFailure?
  /// Container's last words, where a replica of the dedicated pool crashes.
  var dedicatedTrouble: String?
  /// Somebody else's object has a name that the service needs.
  var conflict: String?
  /// A Deployment cannot make pods (quota, admission): its own words, by pool.
  var replicaFailure: PerPool<String?>
  var coldStarts: ColdStartSamples
  /// Nil: the ledger is not loaded yet.
  var account: LedgerSummary?
  var wall: Date
  /// How far a change of template has come; nil: nothing is done about the service.
  var rollout: CanaryRollout?
}
