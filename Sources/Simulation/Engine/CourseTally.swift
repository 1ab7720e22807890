/// What one of several possible courses of a replica counts, until it is known which of them it took.
///
/// Bounded, however long that is not known: counts per bucket of a histogram, and for a chart a ``Timeline`` once there
/// are many spans.
struct CourseTally: CourseNotes {
  private struct Span {
    var from: Int64
    var to: Int64
    var isHeld: Bool
    func add(to timeline: inout Timeline?) {
      if isHeld {
        timeline?.addHeld(1, from: from, to: to)
      } else {
        timeline?.addReplicas(1, from: from, to: to)
      }
    }
  }

  /// Spans that are kept one by one; a timeline takes as much room as some 700.
  private static let mostSpans = 256

  private let service: ServiceTimes
  private let objective: Int64
  private var waits: [Int: UInt64] = [:]
  private var firstTokens: [Int: UInt64] = [:]
  /// When the chart begins; nil: there is none.
  private let start: Int64?
  private var spans: [Span] = []
  private var timeline: Timeline?

  /// - Parameter tally: what it becomes a part of if it was this course.
  init(partOf tally: RequestTally) {
    service = tally.service
    objective = tally.objective
    start = tally.timeline?.start
  }

  mutating func note(_ request: PendingRequest, wait: Int64, in account: inout ModelAccount) {
    let firstToken = wait + service.firstToken(promptTokens: request.promptTokens, duration: request.duration)
    waits[LogHistogram.bucket(of: wait), default: 0] += 1
    firstTokens[LogHistogram.bucket(of: firstToken), default: 0] += 1
    account.noteStart(wait: wait, firstToken: firstToken, objective: objective)
  }

  mutating func addHeld(from: Int64, to: Int64) { add(Span(from: from, to: to, isHeld: true)) }

  mutating func addReplica(from: Int64, to: Int64) { add(Span(from: from, to: to, isHeld: false)) }

  private mutating func add(_ span: Span) {
    guard let start else { return }
    spans.append(span)
    guard spans.count > Self.mostSpans else { return }
    if timeline == nil { timeline = Timeline(start: start) }
    for span in spans { span.add(to: &timeline) }
    spans.removeAll()
  }

  /// It was this course.
  func add(to tally: inout RequestTally) {
    for (bucket, count) in waits { tally.waits.add(count, to: bucket) }
    for (bucket, count) in firstTokens { tally.firstTokens.add(count, to: bucket) }
    if let timeline { tally.timeline?.add(timeline) }
    for span in spans { span.add(to: &tally.timeline) }
  }
}
