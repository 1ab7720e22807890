import FoundationEssentials
import KubernetesAPI

/// `/v1/embeddings`: vectors of length one that depend on nothing but the text.
struct EmbeddingRequest: Equatable {
  var model: String
  var inputs: [String]
  var isBase64 = false
  var dimensions: Int

  init(_ body: JSONValue, served: String?, dimensions: Int) throws(OpenAIError) {
    model = try GenerationRequest.model(of: body, served: served)
    self.dimensions = dimensions
    switch body["input"] {
    case .string(let text)?: inputs = [text]
    case .array(let parts)? where !parts.isEmpty:
      // Numbers are the tokens of one text.
      inputs =
        parts.allSatisfy { $0.intValue != nil } ? [body["input"]?.text ?? ""] : parts.map { $0.stringValue ?? $0.text }
    default: throw .invalid("input", "Missing required parameter: 'input', a string or an array that is not empty.")
    }
    switch body["encoding_format"]?.stringValue ?? "float" {
    case "float": isBase64 = false
    case "base64": isBase64 = true
    case let other:
      throw .invalid("encoding_format", "Invalid value: '\(other)'. Supported values are: 'float' and 'base64'.")
    }
  }

  var answer: JSONValue {
    let data = inputs.enumerated().map { index, text -> JSONValue in
      let vector = Self.vector(of: text, dimensions: dimensions)
      let embedding: JSONValue =
        isBase64
        ? .string(
          Data(vector.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }).base64EncodedString())
        : .array(vector.map { .double(Double($0)) })
      return ["object": "embedding", "index": JSONValue(index), "embedding": embedding]
    }
    return [
      "object": "list", "data": .array(data), "model": .string(model),
      "usage": ["prompt_tokens": JSONValue(promptTokens), "total_tokens": JSONValue(promptTokens)],
    ]
  }

  var promptTokens: Int { inputs.reduce(0) { $0 + max(1, ($1.utf8.count + 3) / 4) } }

  static func vector(of text: String, dimensions: Int) -> [Float] {
    var random = DeterministicRandom(seed: DeterministicRandom.seed(of: text))
    let raw = (0..<dimensions).map { _ in random.nextUnit() * 2 - 1 }
    let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return raw.map { Float(length > 0 ? $0 / length : 0) }
  }
}
