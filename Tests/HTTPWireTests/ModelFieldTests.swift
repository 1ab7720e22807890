import Testing

@testable import HTTPWire

@Suite struct ModelFieldTests {
  @Test(
    "the top-level model is found and only its bytes are rewritten",
    arguments: [
      (#"{"model":"a"}"#, "a", #"{"model":"new"}"#),
      (
        #" { "x" : [1,{"model":"no"}], "model" : "a b" , "y":null } "#, "a b",
        #" { "x" : [1,{"model":"no"}], "model" : "new" , "y":null } "#
      ),
      (
        #"{"messages":[{"content":"\"model\":\"no\""}],"model":"a"}"#, "a",
        #"{"messages":[{"content":"\"model\":\"no\""}],"model":"new"}"#
      ),
      (#"{"mod\u0065l":"\u0061\n\ud83d\ude00"}"#, "a\n😀", #"{"mod\u0065l":"new"}"#),
      (#"{"model":"a","model":"b"}"#, "b", #"{"model":"new","model":"new"}"#),
      (#"{"Model":"no"}"#, nil, #"{"Model":"no"}"#), ("{}", nil, "{}"),
      (#"{"m":{"model":"no"},"n":[]}"#, nil, #"{"m":{"model":"no"},"n":[]}"#),
      (#"{"model":""}"#, "", #"{"model":"new"}"#),
    ] as [(String, String?, String)])
  func finds(body: String, model: String?, rewritten: String) throws {
    let octets = Array(body.utf8)
    let field = try ModelField(scanning: octets)
    #expect(field.model == model)
    #expect(String(decoding: field.rewriting(octets, to: "new"), as: UTF8.self) == rewritten)
  }

  @Test(
    "stream and the token bound are read at the top level only",
    arguments: [
      (#"{"stream":true,"max_tokens":7}"#, true, 7), (#"{"stream":false}"#, false, nil),
      (#"{"x":{"stream":true,"max_tokens":7}}"#, false, nil), (#"{"stream":"true"}"#, false, nil),
      (#"{"max_tokens":7,"max_completion_tokens":8}"#, false, 8), (#"{"max_tokens":7.5}"#, false, nil),
      (#"{"stream":true,"stream":false}"#, false, nil), (#"{"max_tokens":-7}"#, false, nil),
    ] as [(String, Bool, Int?)])
  func options(body: String, stream: Bool, tokens: Int?) throws {
    let field = try ModelField(scanning: Array(body.utf8))
    #expect(field.stream == stream)
    #expect(field.maxOutputTokens == tokens)
  }

  @Test("a new name is escaped, and needless rewriting is told")
  func encoding() throws {
    let octets = Array(#"{"model":"a"}"#.utf8)
    let field = try ModelField(scanning: octets)
    let rewritten = field.rewriting(octets, to: "q\"\\\n\u{1f}é")
    #expect(try ModelField(scanning: rewritten).model == "q\"\\\n\u{1f}é")
    #expect(!field.needsRewriting(to: "a"))
    #expect(field.needsRewriting(to: "b"))
    #expect(try ModelField(scanning: Array(#"{"model":"a","model":"a"}"#.utf8)).needsRewriting(to: "a"))
  }

  @Test(
    "what is not one JSON object, or has no string for its model, is refused",
    arguments: [
      "", "[]", "1", "\"model\"", "{", "{\"model\"", "{\"model\":", "{\"model\":\"a\"", "{\"model\":\"a\"}}",
      "{\"model\":\"a\"}x", "{\"model\":1}", "{\"model\":null}", "{\"model\":\"a\",}", "{,}", "{\"a\" 1}", "{a:1}",
      "{'a':1}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":tru}", "{\"a\":True}",
      "{\"a\":NaN}", "{\"a\":[1,]}", "{\"a\":[1}", "{\"a\":{\"b\":1]}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}",
      "{\"a\":\"\n\"}", "{\"model\":\"\\ud800\"}", "{\"model\":\"\\ud800\\u0041\"}", "\u{feff}{}", "{\"a\":1 \"b\":2}",
      "{\"a\":[1 2]}", "{\"a\":--1}", "{} {}",
    ])
  func refuses(body: String) {
    #expect(throws: JSONScanError.self) { try ModelField(scanning: Array(body.utf8)) }
  }

  @Test("invalid UTF-8 in a model and bottomless nesting are refused")
  func bytes() {
    let invalid = Array("{\"model\":\"".utf8) + [0xff] + Array("\"}".utf8)
    #expect(throws: JSONScanError.self) { try ModelField(scanning: invalid) }
    func nested(_ depth: Int) -> [UInt8] {
      Array("{\"a\":\(String(repeating: "[", count: depth))\(String(repeating: "]", count: depth))}".utf8)
    }
    #expect(throws: Never.self) { try ModelField(scanning: nested(500)) }
    #expect(throws: JSONScanError.self) { try ModelField(scanning: nested(100_000)) }
  }

  @Test("every prefix of a body is refused without a crash")
  func prefixes() {
    let body = Array(#"{"a":[1,-2.5e+3,{"b":"\u00e9\n"},true,false,null],"model":"m","stream":true}"#.utf8)
    for end in 0..<body.count {
      #expect(throws: JSONScanError.self, "\(end) bytes") { try ModelField(scanning: Array(body[..<end])) }
    }
  }
}
