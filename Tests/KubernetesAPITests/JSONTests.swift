import KubernetesAPI
import Testing

@Suite("JSON")
struct JSONTests {
  @Test(
    "What is parsed is written back in compact form with sorted keys",
    arguments: [
      ("{}", "{}"), (" [ ] ", "[]"), ("null", "null"), ("-0", "0"), ("1e2", "100.0"), ("1.5", "1.5"),
      (#"{"b":1,"a":[true,false,null]}"#, #"{"a":[true,false,null],"b":1}"#),
      (#""\u0041\u00e9\ud83d\ude00""#, "\"Aé😀\""), (#""\ud800""#, "\"\u{FFFD}\""), (#""\t\n\"\\\/""#, #""\t\n\"\\/""#),
      (#""\u0001""#, #""\u0001""#), ("9223372036854775807", "9223372036854775807"),
      (#"{"a":1,"a":2}"#, #"{"a":2}"#),
    ])
  func roundTrip(text: String, expected: String) throws {
    let value = try JSONValue(parsing: text)
    #expect(value.text == expected)
    #expect(try JSONValue(parsing: value.bytes) == value)
    #expect(try JSONValue(parsing: value.prettyText) == value)
  }

  @Test(
    "What is no JSON is refused with the offset of the first bad byte",
    arguments: [
      ("", 0), ("{", 1), ("[1,]", 3), ("{\"a\" 1}", 5), ("01", 0), ("1.", 2), ("nul", 3), ("\"a", 2), ("[1] x", 4),
      ("\"\u{01}\"", 1), ("1e999", 5), ("{\"a\":1,}", 7), ("'a'", 0),
    ])
  func refusals(text: String, offset: Int) {
    #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    do { _ = try JSONValue(parsing: text) } catch { #expect(error.offset == offset, "\(text)") }
  }

  @Test("What is passed over is checked as what is read")
  func skipping() throws {
    let text = Array(#"{"a":[1,-2.5e3,true,null,"x\u00e9\n"],"b":{"":{}},"é":"\ud83d\ude00","c":1e300} "#.utf8)
    var generator = Generator(state: 1)
    var refused = 0
    for _ in 0..<20_000 {
      var changed = text
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        let index = changed.indices.randomElement(using: &generator) ?? 0
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: changed[index] = UInt8.random(in: 0...255, using: &generator)
        case 1: changed[index] = text.randomElement(using: &generator) ?? 0
        default: changed.removeSubrange(index..<min(index + Int.random(in: 1...3, using: &generator), changed.count))
        }
      }
      let isRead = (try? JSONValue(parsing: changed)) != nil
      let isPassed = Self.passes(changed)
      #expect(isRead == isPassed, "\(String(decoding: changed, as: UTF8.self))")
      if !isRead { refused += 1 }
    }
    #expect((2_000...19_000).contains(refused))
  }

  private static func passes(_ text: [UInt8]) -> Bool {
    var reader = JSONReader(text)
    do {
      try reader.skipValue()
      try reader.end()
      return true
    } catch {
      return false
    }
  }

  @Test("Nesting is bounded, so that a stranger's body cannot exhaust the stack")
  func depth() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    _ = try JSONValue(parsing: nested(512))
    #expect(throws: JSONError.self) { try JSONValue(parsing: nested(513)) }
  }

  @Test("Setting nil removes a member, also where a condition decides")
  func removal() {
    var object = KubernetesObject(["metadata": ["labels": ["a": "b"], "name": "x"]])
    object.metadata.labels = [:]
    #expect(object.json == ["metadata": ["name": "x"]])
    object.json[path: ["spec", "a", "b"]] = 1
    object.json[path: ["spec", "a", "c"]] = nil
    #expect(object.json[path: ["spec", "a"]] == ["b": 1])
  }
}

/// Knuth's MMIX generator: the same texts each time.
private struct Generator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 32)
  }
}
