import KubernetesAPI

/// The JSON of answers to `/v1/chat/completions` and `/v1/completions` (OpenAI API reference).
struct CompletionShape {
  enum Kind { case chat, text }

  let kind: Kind
  let id: String
  let model: String
  /// Unix time.
  let created: Int

  func usage(prompt: Int, completion: Int) -> JSONValue {
    [
      "prompt_tokens": JSONValue(prompt), "completion_tokens": JSONValue(completion),
      "total_tokens": JSONValue(prompt + completion),
    ]
  }

  /// A whole answer.
  func answer(text: String, finishReason: String, usage: JSONValue) -> JSONValue {
    var choice: JSONValue = ["index": 0, "finish_reason": .string(finishReason), "logprobs": .null]
    switch kind {
    case .chat: choice["message"] = ["role": "assistant", "content": .string(text)]
    case .text: choice["text"] = .string(text)
    }
    return envelope(isChunk: false, choices: [choice], usage: usage)
  }

  /// One event of a stream. `text` nil: the last one, with a finish reason.
  func chunk(text: String?, isFirst: Bool, finishReason: String?) -> JSONValue {
    var choice: JSONValue = [
      "index": 0, "finish_reason": finishReason.map { .string($0) } ?? .null, "logprobs": .null,
    ]
    switch kind {
    case .chat:
      var delta: JSONValue = [:]
      if isFirst { delta["role"] = "assistant" }
      if let text { delta["content"] = .string(text) }
      choice["delta"] = delta
    case .text: choice["text"] = .string(text ?? "")
    }
    return envelope(isChunk: true, choices: [choice], usage: nil)
  }

  /// The event before the end when usage was asked for: no choices.
  func usageChunk(_ usage: JSONValue) -> JSONValue { envelope(isChunk: true, choices: [], usage: usage) }

  private func envelope(isChunk: Bool, choices: [JSONValue], usage: JSONValue?) -> JSONValue {
    let object =
      switch kind {
      case .chat: isChunk ? "chat.completion.chunk" : "chat.completion"
      case .text: "text_completion"
      }
    var json: JSONValue = [
      "id": .string(id), "object": .string(object), "created": JSONValue(created), "model": .string(model),
      "choices": .array(choices),
    ]
    json["usage"] = usage
    return json
  }

  /// A server-sent event.
  static func event(_ json: JSONValue) -> [UInt8] { Array("data: ".utf8) + json.bytes + Array("\n\n".utf8) }
}
