import HTTPWire
import Testing

struct PrefixKeyTests {
  private static func key(_ body: String, _ length: Int = 5) -> UInt64? {
    PrefixKey.hash(Array(body.utf8).span, length: length)
  }

  @Test(
    "Bodies whose prompts begin alike have one key",
    arguments: [
      (#"{"prompt":"hello world"}"#, #"{"model":"m", "prompt" : "hello you"}"#, true),
      (#"{"prompt":"hello"}"#, #"{"prompt":"help!"}"#, false),
      (
        #"{"messages":[{"role":"system","content":"a"},{"role":"user","content":"hello a"}]}"#,
        #"{"messages":[{"content":"hello b","role":"user"},{"role":"user","content":"x"}]}"#, true
      ),
      (
        #"{"messages":[{"role":"user","content":[{"type":"image_url"},{"type":"text","text":"hello"}]}]}"#,
        #"{"messages":[{"role":"user","content":"hello"}]}"#, true
      ),
      (#"{"prompt":"hel"}"#, #"{"prompt":"hell"}"#, false),
    ])
  func compares(one: String, other: String, isSame: Bool) {
    #expect(Self.key(one) != nil)
    #expect((Self.key(one) == Self.key(other)) == isSame)
  }

  @Test(
    "What has no prompt has no key",
    arguments: [
      "", "{", "[]", "{}", #"{"prompt":1}"#, #"{"prompt":["a"]}"#, #"{"messages":{}}"#, #"{"messages":[1]}"#,
      #"{"messages":[{"role":"assistant","content":"a"}]}"#, #"{"messages":[{"role":"user","content":null}]}"#,
      #"{"a":{"prompt":"deep"}}"#,
    ])
  func none(body: String) {
    #expect(Self.key(body) == nil)
  }
}
