import FoundationEssentials
import InferenceAPI
import Testing

/// The manual's list of reasons is held to the code that gives them.
struct ConditionReferenceTests {
  private static func source(_ path: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
  }

  @Test("Every reason that a verdict is made with is in the manual, with its status, and no other is")
  func reasonsAgree() throws {
    let verdicts = try ["Status/Readiness.swift", "Status/CanaryStatus.swift", "Planning/IntentOfService.swift"]
      .map { try Self.source("Sources/Operator/\($0)") }.joined()
    var given: Set<String> = []
    for match in verdicts.matches(of: /\.(yes|no)\(\s*"(\w+)"/) {
      given.insert("\(match.1 == "yes" ? "True" : "False") \(match.2)")
    }
    // These are made elsewhere, or by choice between two.
    given.formUnion([
      "Unknown NotChecked", "False InvalidSpec", "False QuotaExceeded", "False ReplicaFailure", "False StartupTimeout",
    ])
    for word in ["NotChecked", "QuotaExceeded", "ReplicaFailure"] { #expect(verdicts.contains("\"\(word)\"")) }
    #expect(try Self.source("Sources/Operator/Status/StatusDocument.swift").contains("\"InvalidSpec\""))
    #expect(try Self.source("Sources/Operator/Planning/WakeTracker.swift").contains("\"StartupTimeout\""))
    let listed = Set(ConditionReference.types.flatMap(\.reasons).map { "\($0.status) \($0.reason)" })
    #expect(given.count > 15)
    #expect(given.subtracting(listed) == [], "the code gives reasons that the manual lacks")
    #expect(listed.subtracting(given) == [], "the manual has reasons that the code does not give")
  }
}
