/// How long a replica works on a request: a token model, where no duration was recorded.
///
/// The time to the first token is linear in the prompt, the time per further token linear in the number of requests that run
/// together (the engine model of llm-d's workload-variant autoscaler: ITL = alpha + beta * batch). The batch is that at the
/// request's start, itself included: a request's end does not move when others come and go.
public struct ServiceTimes: Hashable, Sendable {
  /// Seconds to the first token of an empty prompt.
  public var firstTokenSeconds: Double
  /// Seconds that each token of the prompt adds to the first token.
  public var secondsPerPromptToken: Double
  /// Seconds per output token of a request that runs alone, less ``secondsPerBatchedRequest``.
  public var secondsPerOutputToken: Double
  /// Seconds that each request of the batch adds to every output token.
  public var secondsPerBatchedRequest: Double
  /// Stands in where a trace does not say.
  public var defaultPromptTokens: Int
  public var defaultOutputTokens: Int
  /// Every request without a recorded duration takes so long, in microseconds; nil: by its tokens.
  public var fixedMicroseconds: Int64?

  /// The defaults: an 8-billion-parameter model on one A100 (alpha 20.58 ms and beta 0.41 ms in llm-d's
  /// modeling-optimization.md; prefill at 10,000 tokens/s) and a short chat turn.
  public init(
    firstTokenSeconds: Double = 0.05, secondsPerPromptToken: Double = 0.0001, secondsPerOutputToken: Double = 0.02058,
    secondsPerBatchedRequest: Double = 0.00041, defaultPromptTokens: Int = 1024, defaultOutputTokens: Int = 256,
    fixedMicroseconds: Int64? = nil
  ) {
    self.firstTokenSeconds = firstTokenSeconds
    self.secondsPerPromptToken = secondsPerPromptToken
    self.secondsPerOutputToken = secondsPerOutputToken
    self.secondsPerBatchedRequest = secondsPerBatchedRequest
    self.defaultPromptTokens = defaultPromptTokens
    self.defaultOutputTokens = defaultOutputTokens
    self.fixedMicroseconds = fixedMicroseconds
  }

  /// From its start at a replica to its first token, in microseconds; never more than a recorded or fixed duration.
  @inline(__always)
  func firstToken(promptTokens: Int32, duration: Int64) -> Int64 {
    let prompt = promptTokens < 0 ? Double(defaultPromptTokens) : Double(promptTokens)
    let time = Int64((firstTokenSeconds + secondsPerPromptToken * prompt) * 1e6)
    if duration >= 0 { return min(duration, time) }
    if let fixedMicroseconds { return min(fixedMicroseconds, time) }
    return time
  }

  /// From its start at a replica to its end, in microseconds.
  /// - Parameter batch: requests at the replica with it, itself included.
  @inline(__always)
  func service(promptTokens: Int32, outputTokens: Int32, duration: Int64, batch: Int) -> Int64 {
    if duration >= 0 { return duration }
    if let fixedMicroseconds { return fixedMicroseconds }
    let output = outputTokens < 0 ? Double(defaultOutputTokens) : Double(outputTokens)
    let each = secondsPerOutputToken + secondsPerBatchedRequest * Double(batch)
    return firstToken(promptTokens: promptTokens, duration: -1) + Int64(each * output * 1e6)
  }
}
