import KubernetesAPI
import Testing

@Suite("Patches")
struct PatchTests {
  /// RFC 7386, appendix A.
  @Test(
    "Merge patches do what the RFC's examples say",
    arguments: [
      (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
      (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
      (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
      (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
      (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
      (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
      (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"a":1,"e":null}"#),
      ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#), ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
  func merge(target: String, patch: String, expected: String) throws {
    let result = try JSONValue(parsing: target).mergePatched(with: try JSONValue(parsing: patch))
    #expect(result.text == expected)
  }

  @Test(
    "The merge patch between two values turns one into the other",
    arguments: [
      (#"{"a":1,"b":{"c":2,"d":3}}"#, #"{"a":1,"b":{"c":4}}"#, #"{"b":{"c":4,"d":null}}"#),
      (#"{"a":[1]}"#, #"{"a":[1,2],"z":{}}"#, #"{"a":[1,2],"z":{}}"#),
    ])
  func difference(old: String, new: String, expected: String) throws {
    let (left, right) = (try JSONValue(parsing: old), try JSONValue(parsing: new))
    let patch = try #require(left.mergePatch(to: right))
    #expect(patch.text == expected)
    #expect(left.mergePatched(with: patch) == right)
    #expect(left.mergePatch(to: left) == nil)
  }

  /// RFC 6902, appendix A.
  @Test(
    "JSON patches do what the RFC's examples say",
    arguments: [
      (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"baz":"qux","foo":"bar"}"#),
      (#"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#, #"{"foo":["bar","qux","baz"]}"#),
      (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
      (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
      (#"{"baz":"qux"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#, #"{"baz":"boo"}"#),
      (
        #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
        #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
        #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
      ),
      (
        #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
        #"{"foo":["all","cows","eat","grass"]}"#
      ),
      (
        #"{"baz":"qux","foo":["a",2,"c"]}"#,
        #"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2.0}]"#,
        #"{"baz":"qux","foo":["a",2,"c"]}"#
      ),
      (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#),
      (
        #"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#, #"{"foo":["bar",["abc","def"]]}"#
      ),
      (#"{"a":{"b":1}}"#, #"[{"op":"copy","from":"/a","path":"/c"}]"#, #"{"a":{"b":1},"c":{"b":1}}"#),
    ])
  func jsonPatch(target: String, patch: String, expected: String) throws {
    let operations = try JSONPatchOperation.parse(try JSONValue(parsing: patch))
    #expect(try JSONValue(parsing: target).patched(with: operations).text == expected)
  }

  @Test(
    "A JSON patch that does not fit is refused and changes nothing",
    arguments: [
      #"[{"op":"add","path":"/baz/bat","value":"qux"}]"#, #"[{"op":"remove","path":"/nope"}]"#,
      #"[{"op":"replace","path":"/nope","value":1}]"#, #"[{"op":"test","path":"/foo","value":"x"}]"#,
      #"[{"op":"add","path":"/list/5","value":1}]"#, #"[{"op":"add","path":"/list/01","value":1}]"#,
      #"[{"op":"frob","path":"/foo"}]"#, #"[{"op":"add","path":"/foo"}]"#, #"[{"op":"copy","path":"/foo"}]"#,
      #"[{"op":"move","from":"/list","path":"/list/0"}]"#, #"[{"op":"add","path":"foo","value":1}]"#, #"{"op":"add"}"#,
    ])
  func badJSONPatch(patch: String) throws {
    let target: JSONValue = ["foo": "bar", "list": [1]]
    #expect(throws: JSONPatchError.self) {
      try target.patched(with: try JSONPatchOperation.parse(try JSONValue(parsing: patch)))
    }
  }

  private static let schema: SchemaNode = {
    var item = SchemaNode(.object)
    item.properties = [("name", SchemaNode(.string)), ("image", SchemaNode(.string))]
    var keyed = SchemaNode(.array)
    keyed.listType = .map
    keyed.listMapKeys = ["name"]
    keyed.items = .init(item)
    var set = SchemaNode(.array)
    set.listType = .set
    set.items = .init(SchemaNode(.string))
    var atomic = SchemaNode(.array)
    atomic.items = .init(SchemaNode(.string))
    var root = SchemaNode(.object)
    root.properties = [("containers", keyed), ("finalizers", set), ("args", atomic), ("strategy", SchemaNode(.object))]
    return root
  }()

  @Test(
    "Strategic merge patches merge lists by key and follow their directives",
    arguments: [
      (
        #"{"containers":[{"name":"b","image":"2"}]}"#,
        #"{"containers":[{"image":"1","name":"a"},{"image":"2","name":"b"}]}"#
      ),
      (#"{"containers":[{"name":"a","image":null}]}"#, #"{"containers":[{"name":"a"}]}"#),
      (#"{"containers":[{"name":"a","$patch":"delete"}]}"#, #"{"containers":[]}"#),
      (#"{"containers":[{"$patch":"replace"},{"name":"z"}]}"#, #"{"containers":[{"name":"z"}]}"#),
      (
        #"{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"b"}]}"#,
        #"{"containers":[{"name":"b"},{"image":"1","name":"a"}]}"#
      ),
      (#"{"finalizers":["y"]}"#, #"{"containers":[{"image":"1","name":"a"}],"finalizers":["x","y"]}"#),
      (
        #"{"$deleteFromPrimitiveList/finalizers":["x"]}"#, #"{"containers":[{"image":"1","name":"a"}],"finalizers":[]}"#
      ),
      (#"{"args":["n"]}"#, #"{"args":["n"],"containers":[{"image":"1","name":"a"}]}"#),
      (
        #"{"strategy":{"$retainKeys":["type"],"type":"B"}}"#,
        #"{"containers":[{"image":"1","name":"a"}],"strategy":{"type":"B"}}"#
      ),
      (#"{"$patch":"replace","args":["only"]}"#, #"{"args":["only"]}"#),
    ])
  func strategic(patch: String, expected: String) throws {
    var target: JSONValue = ["containers": [["name": "a", "image": "1"]], "args": ["o"]]
    if expected.contains("finalizers") { target["finalizers"] = ["x"] }
    if expected.contains("strategy") { target["strategy"] = ["type": "A", "rolling": 1] }
    let result = try target.strategicallyPatched(with: try JSONValue(parsing: patch), schema: Self.schema)
    var shown = result
    if !expected.contains("args") { shown["args"] = nil }
    #expect(shown.text == expected)
  }

  @Test("A strategic patch of a keyed list needs the key")
  func strategicWithoutKey() {
    let target: JSONValue = ["containers": []]
    #expect(throws: JSONPatchError.self) {
      try target.strategicallyPatched(with: ["containers": [["image": "x"]]], schema: Self.schema)
    }
  }
}
