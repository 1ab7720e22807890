import EventLoop
import HTTPWire

/// One request on its way: from its head until its answer is out. Confined to its connection's loop.
final class Call {
  /// How far the answer to the caller has come.
  enum Answer {
    case none
    /// `remaining` bytes of an announced length.
    case length(remaining: Int)
    case chunked
    case untilClose
    /// An answer without a body.
    case bodiless
    case finished
  }

  struct Traits: OptionSet {
    var rawValue: UInt16
    static let isHead = Traits(rawValue: 1)
    static let isOptions = Traits(rawValue: 2)
    /// The caller speaks HTTP/1.0.
    static let isOldClient = Traits(rawValue: 4)
    /// The caller waits for 100 (Continue) before it sends its body.
    static let awaitsContinue = Traits(rawValue: 8)
    /// It is demand: it is held, wakes the model and shows as load.
    static let counts = Traits(rawValue: 16)
    /// The connection may carry another request after this one.
    static let keepsConnection = Traits(rawValue: 32)
    /// The body goes on as it comes, so that the request cannot be sent again.
    static let streamsBody = Traits(rawValue: 64)
    /// The replica has, or needs, no more of the request.
    static let isSent = Traits(rawValue: 128)
    static let wantsWebSocket = Traits(rawValue: 256)
    /// The head of an event stream went out while the request was held.
    static let hasPrelude = Traits(rawValue: 512)
    /// A connection that was idle has failed it once; that says nothing of the replica.
    static let metStaleConnection = Traits(rawValue: 1024)
    /// The caller ended its sending half and is still there.
    static let isHalfClosed = Traits(rawValue: 2048)
    /// It has a place in the hold budget.
    static let hasPlace = Traits(rawValue: 4096)
    /// It has been counted.
    static let isFinished = Traits(rawValue: 8192)
    /// Its path is of the Open Inference Protocol.
    static let isV2Path = Traits(rawValue: 16384)
  }

  var traits: Traits
  var record: RequestRecord
  /// Nil until its service is found.
  var service: RoutedService?
  /// What is sent to the replica: the head, and the body where it is kept.
  var outgoing: [UInt8] = []
  /// How much of it the replica's connection has taken.
  var outgoingSent = 0
  /// The body while it is read to be searched.
  var collected: [UInt8] = []
  /// When the first of that came, in nanoseconds.
  var collectsSince: Int64 = 0
  /// Writes the answer as one event, where that is what the stream that has begun makes of it.
  var wrapper: EventWrapper?
  /// Delimits the caller's body.
  var requestBody: BodyDecoder
  var requestFraming: BodyFraming
  /// Bytes of the caller's body read so far.
  var requestBytes = 0
  /// Bytes of the answer's body sent so far.
  var responseBytes = 0
  /// Bytes taken from the hold budget.
  var allowance = 0
  var answer = Answer.none
  var urgency: UInt8 = 3
  /// The caller has said how urgent it is.
  var saysUrgency = false
  var method = Method.other
  /// The trace that the caller says it belongs to.
  var trace: TraceContext?
  /// Counts tokens and events as the answer passes; nil before it does.
  var meter: ResponseMeter?
  /// Who asks: a hash of a header's value; 0: nobody in particular.
  var tenant: UInt64 = 0
  /// Stands for the beginning of its prompt, where its service prefers the replica that has it in its cache.
  var affinity: UInt64?
  /// What the body said, where it was read.
  var told: RequestTraits?
  /// The rule that applies.
  var rule: RouteRule?
  /// How often it went to another replica.
  var retries: UInt8 = 0
  /// When its caller's patience ends, in nanoseconds of the loop's clock.
  var patienceEnds = Int64.max
  /// While it is held, its caller gets a comment this often, in nanoseconds; 0: none.
  var keepAlive: Int64 = 0
  /// When the next comment is due.
  var nextComment = Int64.max
  /// When it was sent to its replica.
  var sentAt = Int64.max
  var ticket: HoldQueue<HeldCall>.Ticket?
  var lease: ReplicaSetState.Lease?
  var replica: ReplicaConnection?

  /// Methods as logs name them.
  enum Method: String, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
    case options = "OPTIONS"
    case other = "OTHER"
  }

  init(record: RequestRecord, traits: Traits, framing: BodyFraming, limits: HTTPLimits) {
    self.record = record
    self.traits = traits
    requestFraming = framing
    requestBody = BodyDecoder(framing, limits: limits)
  }

  /// Whether the caller has been sent the head of an answer.
  var hasAnswered: Bool { if case .none = answer { false } else { true } }

  /// What its attempt at a replica has shown; nil: nothing of an answer came. `now` is in nanoseconds.
  func measure(_ end: AttemptEnd, at now: Int64) -> AttemptMeasure? {
    guard let meter else { return nil }
    let tokens = meter.tokens
    var measure = AttemptMeasure(promptTokens: tokens.prompt, outputTokens: tokens.output)
    // A refusal is quick and says nothing of the model.
    if case .answered(let status) = end, (200..<300).contains(status),
      let first = record.firstToken ?? record.firstByte
    {
      measure.times = (
        firstToken: Double(max(0, first + record.arrival - sentAt)) / 1e9, whole: Double(max(0, now - sentAt)) / 1e9
      )
    }
    return measure
  }

  /// Whether it can be sent again as a whole.
  var isRepeatable: Bool { !traits.contains(.streamsBody) }
}

/// A held request, as its service's queue keeps it: whom to tell when its wait is over.
struct HeldCall: Sendable {
  let connection: ClientConnection
  /// The connection's request this is about; a later one of the same connection must not take its outcome.
  let number: UInt32

  /// From any thread.
  func end(_ outcome: HoldOutcome) {
    connection.loop.execute { connection.server.release(self, outcome) }
  }
}
