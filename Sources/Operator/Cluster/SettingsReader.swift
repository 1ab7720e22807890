import ControllerRuntime
import InferenceAPI
import KubernetesAPI
import KubernetesClient
import Telemetry

/// Reads the installation's settings from their ConfigMap, and says so where they cannot be used.
struct SettingsReader: Sendable {
  private let events: EventRecorder
  private let log: Log
  private let isValid: Gauge

  init(events: EventRecorder, log: Log, metrics: MetricsRegistry) {
    self.events = events
    self.log = log
    isValid = metrics.gauge(
      "pilotlight_settings_valid",
      help: "1: the ConfigMap pilotlight is used as it is; 0: it is wrong, and the last one holds.")
    isValid.set(1)
  }

  /// The settings after a change of the ConfigMap; nil: it is wrong, and the last ones hold.
  func read(_ change: ObjectChange) -> InstallationSettings? {
    do {
      let settings = try InstallationSettings(configMap: change.new)
      isValid.set(1)
      log.info("settings read", ["configMap": change.key.description])
      return settings
    } catch {
      isValid.set(0)
      log.error("the settings are not used, the last ones hold", ["problem": "\(error)"])
      if let configMap = change.new {
        events.record(
          .warning, about: configMap, reason: "InvalidSettings", message: "\(error); the last settings hold")
      }
      return nil
    }
  }
}
