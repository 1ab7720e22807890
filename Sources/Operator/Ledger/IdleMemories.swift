import Decisions
import KubernetesAPI

extension ControllerState.Contents {
  /// Gives a service back what an earlier controller knew of its silences, once the ledger is loaded.
  /// - Returns: why the note cannot be used; nil: there is none, or it is.
  func restoreIdleMemory(_ intent: ServiceIntent, _ memory: inout ServiceMemory) -> String? {
    guard intent.wakePrice != nil, !memory.sleep.isRestored, ledger.isOpen(intent.key.namespace) else { return nil }
    do {
      try memory.sleep.restore(ledger.note(for: intent.key.name, in: intent.key.namespace))
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// Notes with each service of a namespace what is known of its silences: it goes out with the next write.
  mutating func noteIdleMemories(in namespace: String) {
    guard let models = ledger.book(of: namespace)?.models.keys.sorted() else { return }
    for model in models {
      guard let note = memories[ObjectKey(namespace: namespace, name: model)]?.sleep.note else { continue }
      _ = ledger.setNote(note, for: model, in: namespace)
    }
  }
}
