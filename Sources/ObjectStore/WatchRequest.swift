import FoundationEssentials
import KubernetesAPI

/// A watch in progress: what it selects, how it is written, and how far it has got. The shell owns one per connection.
public struct WatchRequest: Sendable {
  public let selection: WatchSelection
  /// After so many seconds the stream just ends.
  public let timeoutSeconds: Int?
  public let allowsBookmarks: Bool
  /// Everything up to here has been written.
  public private(set) var resourceVersion: Int
  /// Nothing more will come: an ERROR event was the last.
  public private(set) var hasEnded: Bool
  private var encoder: ObjectEncoder
  private var opening: [WatchEvent]

  init(
    selection: WatchSelection, timeoutSeconds: Int?, allowsBookmarks: Bool, resourceVersion: Int,
    opening: [WatchEvent], encoder: ObjectEncoder
  ) {
    self.selection = selection
    self.timeoutSeconds = timeoutSeconds
    self.allowsBookmarks = allowsBookmarks
    self.resourceVersion = resourceVersion
    self.opening = opening
    self.encoder = encoder
    hasEnded = false
  }

  /// What the stream starts with: objects that exist already, or the error that ends it. To be asked for once.
  public mutating func openingLines(now: Date) -> [UInt8] { lines(openingEvents(), now: now) }

  /// The same as values, for who is in the same process.
  public mutating func openingEvents() -> [WatchEvent] {
    defer { opening = [] }
    return noting(opening)
  }

  /// One JSON line per event since the last call; empty when nothing of interest happened.
  public mutating func lines(from store: borrowing ObjectStore, now: Date) -> [UInt8] {
    lines(events(from: store), now: now)
  }

  /// The same as values, for who is in the same process.
  public mutating func events(from store: borrowing ObjectStore) -> [WatchEvent] {
    if hasEnded { return [] }
    switch store.events(after: resourceVersion, matching: selection) {
    case .events(let events, let through):
      resourceVersion = max(resourceVersion, through)
      return noting(events)
    case .expired(let status): return noting([WatchEvent(.error, KubernetesObject(status.json))])
    }
  }

  /// A BOOKMARK line that tells how far the watch has got; empty when the client did not ask for bookmarks.
  public mutating func bookmarkLine(now: Date) -> [UInt8] {
    lines(bookmark.map { [$0] } ?? [], now: now)
  }

  /// The same as a value; nil when the client did not ask for bookmarks.
  public var bookmark: WatchEvent? {
    guard allowsBookmarks, !hasEnded else { return nil }
    return .bookmark(selection.type, resourceVersion: resourceVersion)
  }

  private mutating func noting(_ events: [WatchEvent]) -> [WatchEvent] {
    if events.contains(where: { $0.kind == .error }) { hasEnded = true }
    return events
  }

  private mutating func lines(_ events: [WatchEvent], now: Date) -> [UInt8] {
    var output: [UInt8] = []
    for event in events { output += encoder.line(event, now: now) }
    return output
  }
}

extension WatchEvent {
  static func bookmark(
    _ type: ResourceType, resourceVersion: Int, endsInitialEvents: Bool = false
  ) -> WatchEvent {
    var metadata: JSONValue = ["resourceVersion": .string(String(resourceVersion))]
    if endsInitialEvents { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
    return WatchEvent(
      .bookmark,
      KubernetesObject([
        "apiVersion": .string(type.apiVersion), "kind": .string(type.kind), "metadata": metadata,
      ]))
  }
}
