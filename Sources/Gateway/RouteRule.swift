import HTTPWire

/// One of a service's rules for kinds of requests (`spec.routing.rules`): the first that matches applies.
public struct RouteRule: Hashable, Sendable {
  /// What a request must be like; what is nil or empty does not matter.
  public struct Match: Hashable, Sendable {
    /// Names by which the caller asked.
    public var models: [String] = []
    /// Headers with exactly this value; names in any case.
    public var headers: [Header] = []
    /// Of the path sent upstream, up to a segment's end.
    public var pathPrefix: String?
    /// Whether the body asks for a stream.
    public var stream: Bool?
    /// The body bounds its output to so many tokens at most.
    public var outputTokensAtMost: Int?
    /// The body has so many bytes at most.
    public var promptBytesAtMost: Int?

    public init() {}

    /// Whether it asks for what only the body tells.
    var readsBody: Bool { !models.isEmpty || stream != nil || outputTokensAtMost != nil }
  }

  public struct Header: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  public var name: String
  public var match: Match
  /// Pools for these requests; nil: the service's order.
  public var order: [Pool]?
  /// Of those who say nothing themselves; nobody may be more urgent than it.
  public var urgency: Int
  /// Longest hold; nil: the service's.
  public var maxWait: Duration?

  public init(name: String, match: Match = Match(), order: [Pool]? = nil, urgency: Int = 3, maxWait: Duration? = nil) {
    self.name = name
    self.match = match
    self.order = order
    self.urgency = urgency
    self.maxWait = maxWait
  }
}

/// What of a request the rules ask for.
struct RequestTraits {
  /// The name by which the caller asked, where the body was read.
  var model: String?
  /// Nil: the body was not read.
  var stream: Bool?
  /// Nil: the body was not read, or sets no bound.
  var maxOutputTokens: Int?
  /// Nil: its length is not known.
  var bodyBytes: Int?
}

extension RouteRule.Match {
  /// Whether a request is meant. What is not known of it matches nothing that asks for it.
  ///
  /// - Parameter head: the head as it goes upstream.
  func matches(_ head: HeadView, _ traits: RequestTraits) -> Bool {
    if !models.isEmpty {
      guard let model = traits.model, models.contains(model) else { return false }
    }
    if let stream, traits.stream != stream { return false }
    if let outputTokensAtMost {
      guard let tokens = traits.maxOutputTokens, tokens <= outputTokensAtMost else { return false }
    }
    if let promptBytesAtMost {
      guard let bytes = traits.bodyBytes, bytes <= promptBytesAtMost else { return false }
    }
    if let pathPrefix, !Self.path(of: head).isWithin(pathPrefix) { return false }
    return headers.allSatisfy { header in
      head.value(named: Array(header.name.lowercased().utf8)).map { $0.elementsEqual(header.value.utf8) } ?? false
    }
  }

  private static func path(of head: HeadView) -> String {
    String(decoding: head.target.prefix { $0 != UInt8(ascii: "?") }, as: UTF8.self)
  }
}

extension String {
  /// Whether the path is the prefix or lies below it, by whole segments.
  fileprivate func isWithin(_ prefix: String) -> Bool {
    let bare = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
    return hasPrefix(bare) && (utf8.count == bare.utf8.count || self.dropFirst(bare.count).hasPrefix("/"))
  }
}
