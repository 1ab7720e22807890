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
      (#"{"models":"no","xmodel":"no","":1}"#, nil, #"{"models":"no","xmodel":"no","":1}"#), ("{}", nil, "{}"),
      (#"{"x":{"model":1,"MODEL":2},"model":"a"}"#, "a", #"{"x":{"model":1,"MODEL":2},"model":"new"}"#),
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
  }

  @Test(
    "a body in which readers could find different models is refused as ambiguous",
    arguments: [
      #"{"model":"a","model":"b"}"#, #"{"model":"a","model":"a"}"#, #"{"model":"a","x":1,"mod\u0065l":1}"#,
      #"{"Model":"a"}"#, #"{"model":"a","MODEL":"b"}"#, #"{"mODEl":null,"model":"a"}"#, #"{"\u004dodel":"a"}"#,
    ])
  func ambiguous(body: String) {
    let error = #expect(throws: JSONScanError.self) { try ModelField(scanning: Array(body.utf8)) }
    #expect(error?.isAmbiguous == true)
  }

  @Test(
    "a key in escapes is known by what it stands for, however it is written, and a longer one is another",
    arguments: [
      (#"\u006d\u006f\u0064\u0065\u006c"#, true), (#"\u006d\u006F\u0064\u0065\u006C\u0000"#, false),
      (#"model\n"#, false), (#"\nmodel"#, false), (#"mod\u00e9l"#, false), (#"mod\ud83d\ude00l"#, false),
      (#"mod\ud800l"#, false), (String(repeating: #"\n"#, count: 64), false),
      (String(repeating: #"\u006d"#, count: 22), false), (#"mode\/"#, false), (#"\"model\""#, false),
    ])
  func escapedKeys(key: String, isModel: Bool) throws {
    let field = try ModelField(scanning: Array("{\"\(key)\":\"a\"}".utf8))
    #expect(field.model == (isModel ? "a" : nil))
  }

  @Test("every name in escapes is found, the longest one, too")
  func longestKey() throws {
    let name = "max_completion_tokens".utf8.map { "\\u00" + String($0, radix: 16) }.joined()
    #expect(try ModelField(scanning: Array("{\"\(name)\":7}".utf8)).maxOutputTokens == 7)
  }

  @Test("keys that are long, many or in escapes are passed over, and what follows is found")
  func longKeys() throws {
    let long = String(repeating: #"\n"#, count: 100_000)
    let many = Array(repeating: #""\n\n":1"#, count: 10_000).joined(separator: ",")
    let field = try ModelField(scanning: Array("{\"\(long)\":1,\(many),\"model\":\"a\"}".utf8))
    #expect(field.model == "a")
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
