/// Something that runs until it is cancelled or fails. Cancellation is the only signal to stop.
public protocol Service: Sendable {
  func run() async throws
}

/// A service made of a closure.
public struct ClosureService: Service {
  private let body: @Sendable () async throws -> Void

  public init(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }

  public func run() async throws { try await body() }
}

/// Runs services together: the first one that ends ends all of them.
public struct ServiceGroup: Service {
  private let services: [any Service]

  public init(_ services: [any Service]) { self.services = services }

  /// Returns, or throws what the first one that ended threw, once all have ended.
  public func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for service in services { group.addTask { try await service.run() } }
      // Leaving the body with an error cancels the rest and waits for them, too.
      try await group.next()
      group.cancelAll()
      while let ended = await group.nextResult() {
        // What the others say about having been cancelled is not news.
        _ = ended
      }
    }
  }
}
