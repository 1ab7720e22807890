import KubernetesAPI
import Testing

@Suite("Selectors")
struct SelectorTests {
  private let labels = ["app": "web", "tier": "gold", "n": "5", "empty": ""]

  @Test(
    "Every form of a label selector selects what it says",
    arguments: [
      ("", true), ("app=web", true), ("app==web", true), ("app = web", true), ("app=db", false), ("app!=web", false),
      ("app!=db", true), ("nope!=x", true), ("app in (web,db)", true), ("app in (db)", false),
      ("app notin (db, cache)", true), ("nope notin (a)", true), ("app", true), ("!app", false), ("!nope", true),
      ("n>4", true), ("n<4", false), ("app>4", false), ("app=web,tier=gold", true), ("app=web,tier=tin", false),
      ("empty=", true), ("app=", false), ("a.b/c", false), ("app,!nope,n in (5,6)", true),
    ])
  func matching(text: String, expected: Bool) throws {
    let selector = try LabelSelector(parsing: text)
    #expect(selector.matches(labels) == expected)
    #expect(try LabelSelector(parsing: selector.text).matches(labels) == expected)
  }

  @Test(
    "What is no label selector is refused in the API server's words",
    arguments: [
      ("=b", "unable to parse requirement: found '=', expected: identifier"),
      ("a=b,", "unable to parse requirement: found '', expected: identifier after ','"),
      ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
      ("a in b", "unable to parse requirement: found 'b', expected: '('"),
      ("a in (b", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
      ("a=b c", "unable to parse requirement: found 'c', expected: ',' or 'end of string'"),
    ])
  func refusals(text: String, message: String) {
    #expect(throws: SelectorError(message)) { try LabelSelector(parsing: text) }
  }

  @Test("matchLabels and matchExpressions mean the same as their query form")
  func structured() throws {
    let json: JSONValue = [
      "matchLabels": ["app": "web"],
      "matchExpressions": [
        ["key": "tier", "operator": "In", "values": ["gold", "tin"]], ["key": "x", "operator": "DoesNotExist"],
      ],
    ]
    let selector = try #require(LabelSelector(json: json))
    #expect(selector.text == "app=web,tier in (gold,tin),!x")
    #expect(selector.matches(labels))
    #expect(LabelSelector(json: ["matchExpressions": [["key": "a", "operator": "Near"]]]) == nil)
  }

  @Test(
    "Terms of a field selector hold in any order",
    arguments: [
      ("metadata.name=w,metadata.namespace=n", true), ("metadata.namespace=n,metadata.name==w", true),
      ("metadata.name!=w", false), ("metadata.name!=v", true), (#"metadata.name=a\,b"#, false), ("", true),
    ])
  func fields(text: String, expected: Bool) throws {
    let selector = try FieldSelector(parsing: text)
    #expect(selector.matches { ["metadata.name": "w", "metadata.namespace": "n"][$0] ?? "" } == expected)
  }

  @Test("A field selector without a value is refused")
  func badFields() {
    #expect(throws: SelectorError.self) { try FieldSelector(parsing: "metadata.name") }
    #expect((try? FieldSelector(parsing: #"a=x\,y"#))?.required("a") == "x,y")
  }
}
