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
