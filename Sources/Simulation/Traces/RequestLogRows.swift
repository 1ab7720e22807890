/// Rows of a gateway's request log (`docs/request-log.md`), in the order in which requests ended.
struct RequestLogRows {
  struct Row: Hashable {
    /// With the time at which it came.
    var request: TraceRequest
    /// Microseconds since 1970.
    var end: Int64
    /// How many requests it stands for.
    var weight: Int64
  }

  /// A row of the access log stands for one of every `--access-log-sampling` requests; more than this is no sampling.
  static let mostWeight: Int64 = 1_000_000
  let reweights: Bool
  /// For `namespace/name`.
  private var name: [UInt8] = []

  init(reweights: Bool) { self.reweights = reweights }

  private struct Fields {
    var time: Int64 = -1
    var duration: Int64 = -1
    var queued: Int64 = 0
    var weight: Int64 = 1
    var hasPool = false
    var isOtherLine = false
    var namespace: LineBytes?
    var name: LineBytes?
  }

  /// Nil: a line of the access log that is no request, or a request for no known service, which no replica would see.
  mutating func read(_ line: LineBytes, _ models: inout ModelTable) throws(RowProblem) -> Row? {
    var request = TraceRequest(timeMicroseconds: 0, model: 0)
    let fields = try fields(line, &request)
    if fields.time < 0, fields.isOtherLine { return nil }
    guard fields.time >= 0, fields.duration >= 0 else {
      throw RowProblem(
        "the row has no \(fields.time < 0 ? "timeUnix" : "durationMilliseconds"); a row of a request log has both")
    }
    guard fields.weight == 1 || reweights else {
      throw RowProblem(
        "the row stands for \(fields.weight) requests: the log is sampled. Replay what --request-log wrote, "
          + "or give --reweight to spread them")
    }
    guard let service = fields.name, !service.isEmpty else { return nil }
    name.removeAll(keepingCapacity: true)
    name += fields.namespace ?? LineBytes(start: nil, count: 0)
    name.append(UInt8(ascii: "/"))
    name += service
    request.model = try models.index(of: name)
    request.timeMicroseconds = fields.time
    if fields.hasPool { request.durationMicroseconds = max(0, fields.duration - fields.queued) }
    return Row(request: request, end: fields.time + fields.duration, weight: fields.weight)
  }

  private func fields(_ line: LineBytes, _ request: inout TraceRequest) throws(RowProblem) -> Fields {
    var fields = Fields()
    var object = JSONMembers(line)
    while let member = try object.next() {
      guard !member.isNull, let first = member.name.first else { continue }
      // Most members do not count; their first letters tell most of them apart.
      switch first {
      case UInt8(ascii: "t") where member.name.equals("timeUnix"):
        fields.time = try TraceNumber.microseconds(member.value, "timeUnix")
      case UInt8(ascii: "d") where member.name.equals("durationMilliseconds"):
        fields.duration = try TraceNumber.microseconds(member.value, scale: 3, "durationMilliseconds")
      case UInt8(ascii: "q") where member.name.equals("queuedMilliseconds"):
        fields.queued = try TraceNumber.microseconds(member.value, scale: 3, "queuedMilliseconds")
      case UInt8(ascii: "n") where member.name.equals("namespace"): fields.namespace = try plain(member)
      case UInt8(ascii: "n") where member.name.equals("name"): fields.name = try plain(member)
      case UInt8(ascii: "p") where member.name.equals("pool"): fields.hasPool = true
      case UInt8(ascii: "p") where member.name.equals("promptTokens"):
        request.promptTokens = try TraceNumber.tokens(member.value, "promptTokens")
      case UInt8(ascii: "o") where member.name.equals("outputTokens"):
        request.outputTokens = try TraceNumber.tokens(member.value, "outputTokens")
      case UInt8(ascii: "w") where member.name.equals("weight"):
        guard let weight = TraceNumber.scaled(member.value, by: 0), 1...Self.mostWeight ~= weight else {
          throw RowProblem("weight '\(member.value.excerpt)' is not a number of requests from 1 to \(Self.mostWeight)")
        }
        fields.weight = weight
      case UInt8(ascii: "l") where member.name.equals("level"): fields.isOtherLine = true
      default: continue
      }
    }
    return fields
  }

  /// Names of Kubernetes need no escapes.
  private func plain(_ member: JSONMembers.Member) throws(RowProblem) -> LineBytes {
    guard member.isString, !member.value.contains(UInt8(ascii: "\\")) else {
      throw RowProblem("\(member.name.excerpt) '\(member.value.excerpt)' is not a name in quotes without escapes")
    }
    return member.value
  }
}

extension ModelTable {
  mutating func index(of name: [UInt8]) throws(RowProblem) -> Int32 {
    let result = name.withUnsafeBufferPointer { bytes -> Result<Int32, RowProblem> in
      do throws(RowProblem) { return .success(try index(of: bytes)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
