/// What a model server says a request took, in tokens; nil where it does not say.
public struct TokenUsage: Hashable, Sendable {
  public var prompt: Int?
  public var output: Int?

  public init(prompt: Int? = nil, output: Int? = nil) {
    self.prompt = prompt
    self.output = output
  }
}

/// Finds the `usage` objects in JSON text that passes in pieces; of each count the last one holds.
///
/// It looks for the name `"usage"` with an object as its value and reads the whole numbers at that object's top level:
/// `prompt_tokens` and `completion_tokens` (OpenAI's chat, completions and embeddings), `input_tokens` and `output_tokens`
/// (its Responses API, and Anthropic's). The text around is stepped over, not parsed: within a JSON string the quotes
/// would be escaped, so that what a model writes cannot be taken for a name. Nothing is stored but the state between two
/// octets, however the text is split.
struct TokenUsageScanner: Sendable {
  /// Longest object that is read, in octets: those of today's servers take 60 to 400.
  static let maximumObjectLength = 4096

  private(set) var usage = TokenUsage()

  private enum Count: UInt8 {
    case none
    case promptTokens
    case inputTokens
    case completionTokens
    case outputTokens

    init(firstLetter: UInt8) {
      self =
        switch firstLetter {
        case UInt8(ascii: "p"): .promptTokens
        case UInt8(ascii: "i"): .inputTokens
        case UInt8(ascii: "c"): .completionTokens
        case UInt8(ascii: "o"): .outputTokens
        default: .none
        }
    }

    var name: StaticString {
      switch self {
      case .none: ""
      case .promptTokens: "prompt_tokens"
      case .inputTokens: "input_tokens"
      case .completionTokens: "completion_tokens"
      case .outputTokens: "output_tokens"
      }
    }
  }

  private enum State: UInt8 {
    /// Somewhere in the text.
    case outside
    /// Within `"usage"`.
    case name
    /// After the name.
    case colon
    /// After its colon.
    case brace
    /// In the object, before a key or its end.
    case member
    case key
    case keyColon
    case value
    case number
    /// Over a value of no interest, to the comma or brace behind it.
    case other
    case string
    case escape
  }

  private var state = State.outside
  /// Octets of `"usage"` that have matched, or of the count that the current key may be.
  private var matched: UInt8 = 0
  /// Which count the current key may be: its first letter tells the four apart.
  private var candidate = Count.none
  /// Open brackets within the value.
  private var depth: UInt16 = 0
  private var objectLength: UInt16 = 0
  private var number = 0
  /// What the object said so far.
  private var found = TokenUsage()

  /// Reads the next bytes of the text, split anywhere.
  mutating func consume(_ bytes: UnsafeRawBufferPointer) {
    var index = 0
    while index < bytes.count {
      if state == .outside {
        guard let start = bytes.firstPair(UInt8(ascii: "\""), UInt8(ascii: "u"), from: index) else {
          if bytes[bytes.count &- 1] == UInt8(ascii: "\"") { beginName() }
          return
        }
        beginName()
        index = start &+ 1
      }
      step(bytes[index])
      index &+= 1
    }
  }

  /// Forgets where in the text it is: what comes next does not follow what came before.
  mutating func restart() { state = .outside }

  private mutating func beginName() {
    state = .name
    matched = 1
  }

  private mutating func step(_ octet: UInt8) {
    switch state {
    case .outside: break
    case .name: matchName(octet)
    case .colon: if octet == UInt8(ascii: ":") { state = .brace } else if !octet.isJSONBlank { leave(octet) }
    case .brace: if octet == UInt8(ascii: "{") { beginObject() } else if !octet.isJSONBlank { leave(octet) }
    default:
      objectLength &+= 1
      if objectLength > Self.maximumObjectLength { return leave(octet) }
      stepInObject(octet)
    }
  }

  private mutating func matchName(_ octet: UInt8) {
    let name: StaticString = "\"usage\""
    if name.octet(Int(matched)) == octet {
      matched &+= 1
      if matched == 7 { state = .colon }
    } else {
      leave(octet)
    }
  }

  /// It was no usage object after all; a quote may begin the next name.
  private mutating func leave(_ octet: UInt8) {
    if octet == UInt8(ascii: "\"") { beginName() } else { state = .outside }
  }

  private mutating func beginObject() {
    state = .member
    depth = 0
    objectLength = 0
    found = TokenUsage()
  }

  private mutating func stepInObject(_ octet: UInt8) {
    switch state {
    case .member:
      switch octet {
      case UInt8(ascii: "\""):
        state = .key
        matched = 0
        candidate = .none
      case UInt8(ascii: "}"): endObject()
      case UInt8(ascii: ","): break
      default: if !octet.isJSONBlank { state = .outside }
      }
    case .key: matchKey(octet)
    case .keyColon:
      if octet == UInt8(ascii: ":") { state = .value } else if !octet.isJSONBlank { leave(octet) }
    case .value: if !octet.isJSONBlank { beginValue(octet) }
    case .number:
      if octet.isDigit {
        // A count of more than fifteen digits is none.
        if number < 1_000_000_000_000_000 { number = number &* 10 &+ Int(octet &- 0x30) } else { state = .other }
      } else if octet == UInt8(ascii: ",") || octet == UInt8(ascii: "}") || octet.isJSONBlank {
        keepNumber()
        state = .other
        stepOverValue(octet)
      } else {
        state = .other  // A fraction or an exponent: no count.
      }
    case .other: stepOverValue(octet)
    case .string: if octet == UInt8(ascii: "\"") { state = .other } else if octet == 0x5c { state = .escape }
    case .escape: state = .string
    case .outside, .name, .colon, .brace: break
    }
  }

  private mutating func matchKey(_ octet: UInt8) {
    if octet == UInt8(ascii: "\"") {
      if Int(matched) != candidate.name.utf8CodeUnitCount { candidate = .none }
      state = .keyColon
    } else if octet == 0x5c {
      // An escaped name is none of the four, and its escape could be a quote.
      state = .outside
    } else {
      if matched == 0 { candidate = Count(firstLetter: octet) }
      guard candidate != .none else {
        matched = 1
        return
      }
      if candidate.name.octet(Int(matched)) == octet { matched &+= 1 } else { candidate = .none }
    }
  }

  private mutating func beginValue(_ octet: UInt8) {
    if candidate != .none, octet.isDigit {
      state = .number
      number = Int(octet &- 0x30)
    } else {
      state = .other
      stepOverValue(octet)
    }
  }

  private mutating func keepNumber() {
    switch candidate {
    case .none: break
    case .promptTokens, .inputTokens: found.prompt = number
    case .completionTokens, .outputTokens: found.output = number
    }
  }

  private mutating func stepOverValue(_ octet: UInt8) {
    switch octet {
    case UInt8(ascii: "\""): state = .string
    case UInt8(ascii: "{"), UInt8(ascii: "["): depth &+= 1
    case UInt8(ascii: "}") where depth == 0: endObject()
    case UInt8(ascii: "}"), UInt8(ascii: "]"): if depth > 0 { depth &-= 1 }
    case UInt8(ascii: ",") where depth == 0: state = .member
    default: break
    }
  }

  private mutating func endObject() {
    state = .outside
    if let prompt = found.prompt { usage.prompt = prompt }
    if let output = found.output { usage.output = output }
  }
}

extension UInt8 {
  /// White space of RFC 8259, 2.
  @inline(__always) fileprivate var isJSONBlank: Bool {
    self == 0x20 || self == UInt8.lineFeed || self == UInt8.carriageReturn || self == 0x09
  }
}

extension StaticString {
  /// The octet at `index`; nil past the end.
  @inline(__always) fileprivate func octet(_ index: Int) -> UInt8? {
    index < utf8CodeUnitCount ? utf8Start[index] : nil
  }
}
