import Decisions
import FoundationEssentials

/// What `sleepAfter: Auto` knows of a service, as the text that the ledger keeps with it.
enum IdleNote {
  /// What other parts might keep in the same place begins otherwise.
  private static let prefix = "idle:"

  static func text(_ memory: IdleMemory) -> String { prefix + Data(memory.packed).base64EncodedString() }

  /// - Throws: `UnreadableIdleMemory`.
  static func memory(_ text: String) throws -> IdleMemory {
    guard text.hasPrefix(prefix), let bytes = Data(base64Encoded: String(text.dropFirst(prefix.count))) else {
      throw Foreign()
    }
    return try IdleMemory(packed: Array(bytes))
  }

  struct Foreign: Error, CustomStringConvertible {
    var description: String { "it does not begin with \(prefix) and base64" }
  }
}
