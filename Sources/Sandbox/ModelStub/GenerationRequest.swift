import KubernetesAPI

/// What is wrong with a request, in OpenAI's error shape.
struct OpenAIError: Error, Equatable {
  var status: Int
  var message: String
  var type = "invalid_request_error"
  var parameter: String?
  var code: String?

  var json: JSONValue {
    [
      "error": [
        "message": .string(message), "type": .string(type), "param": parameter.map { .string($0) } ?? .null,
        "code": code.map { .string($0) } ?? .null,
      ]
    ]
  }

  static func invalid(_ parameter: String, _ message: String) -> OpenAIError {
    OpenAIError(status: 400, message: message, parameter: parameter)
  }
}

/// A chat or text completion that is asked for, validated.
struct GenerationRequest: Equatable {
  var model: String
  var prompt: String
  /// How many tokens the answer may have; nil: as many as the model likes.
  var maxTokens: Int?
  var streams = false
  var includesUsage = false

  /// - Parameter served: the one model's name; nil: any is taken.
  /// - Throws: the first thing that is wrong.
  init(chat body: JSONValue, served: String?) throws(OpenAIError) {
    model = try Self.model(of: body, served: served)
    guard let messages = body["messages"]?.arrayValue else {
      throw .invalid("messages", "Missing required parameter: 'messages', an array of messages.")
    }
    guard !messages.isEmpty else {
      throw .invalid("messages", "Invalid 'messages': empty array. Expected an array with at least one message.")
    }
    var texts: [String] = []
    for (index, message) in messages.enumerated() {
      guard let role = message["role"]?.stringValue else {
        throw .invalid("messages[\(index)].role", "Missing required parameter: 'messages[\(index)].role'.")
      }
      guard ["system", "developer", "user", "assistant", "tool", "function"].contains(role) else {
        throw .invalid(
          "messages[\(index)].role",
          "Invalid value: '\(role)'. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool' and 'function'."
        )
      }
      texts.append(Self.text(of: message["content"]))
    }
    prompt = texts.joined(separator: "\n")
    try readOptions(body)
  }

  init(completion body: JSONValue, served: String?) throws(OpenAIError) {
    model = try Self.model(of: body, served: served)
    switch body["prompt"] {
    case .string(let text)?: prompt = text
    case .array(let parts)?: prompt = parts.map { $0.stringValue ?? $0.text }.joined(separator: "\n")
    default: throw .invalid("prompt", "Missing required parameter: 'prompt', a string or an array.")
    }
    try readOptions(body)
  }

  static func model(of body: JSONValue, served: String?) throws(OpenAIError) -> String {
    guard body.objectValue != nil else {
      throw OpenAIError(status: 400, message: "The request body must be a JSON object.")
    }
    guard let model = body["model"]?.stringValue, !model.isEmpty else {
      throw .invalid("model", "Missing required parameter: 'model', a string.")
    }
    if let served, model != served {
      throw OpenAIError(
        status: 404, message: "The model `\(model)` does not exist; this server has `\(served)`.", parameter: "model",
        code: "model_not_found")
    }
    return model
  }

  private mutating func readOptions(_ body: JSONValue) throws(OpenAIError) {
    for name in ["max_completion_tokens", "max_tokens"] {
      guard let value = body[name], !value.isNull else { continue }
      guard let number = value.intValue else {
        throw .invalid(name, "Invalid type for '\(name)': expected an integer, but got \(value.text) instead.")
      }
      guard number >= 1 else {
        throw .invalid(
          name, "Invalid '\(name)': integer below minimum value. Expected a value >= 1, but got \(number).")
      }
      maxTokens = maxTokens ?? number
    }
    if let stream = body["stream"], !stream.isNull {
      guard let flag = stream.boolValue else {
        throw .invalid("stream", "Invalid type for 'stream': expected a boolean, but got \(stream.text) instead.")
      }
      streams = flag
    }
    includesUsage = body[path: ["stream_options", "include_usage"]]?.boolValue ?? false
  }

  /// A message's text: a string, or the text parts of an array.
  private static func text(of content: JSONValue?) -> String {
    if let text = content?.stringValue { return text }
    return (content?.arrayValue ?? []).compactMap { $0["text"]?.stringValue }.joined(separator: "\n")
  }

  /// A rough count: four characters to the token, as is usual for English.
  var promptTokens: Int { max(1, (prompt.utf8.count + 3) / 4) }
}
