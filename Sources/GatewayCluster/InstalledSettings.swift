import ControllerRuntime
import InferenceAPI
import KubernetesAPI
import KubernetesClient
import Synchronization
import Telemetry

/// The settings of the installation as a gateway has them: followed as they change; wrong ones change nothing.
final class InstalledSettings: Sendable {
  let informer: Informer
  private let last = Mutex(InstallationSettings())

  /// - Parameter apply: takes settings that differ from those before, on the informer's task.
  init(
    client: KubernetesClient, namespace: String, clock: any ClockSource, log: Log,
    apply: @escaping @Sendable (InstallationSettings) -> Void
  ) {
    informer = Informer(
      client: client,
      selection: ObjectSelection(
        .configMaps, namespace: namespace, fieldSelector: InstallationSettings.fieldSelector),
      clock: clock, log: log)
    informer.onChange { [unowned self] change in
      do {
        let settings = try InstallationSettings(configMap: change.new)
        guard settings != current else { return }
        last.withLock { $0 = settings }
        apply(settings)
        log.info("settings read", ["configMap": change.key.description])
      } catch {
        log.error("the settings are not used, the last ones hold", ["problem": "\(error)"])
      }
    }
  }

  var current: InstallationSettings { last.withLock { $0 } }
}
