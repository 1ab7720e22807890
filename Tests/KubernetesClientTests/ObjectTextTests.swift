import KubernetesAPI
import Testing

@testable import KubernetesClient

@Suite("Lists read as text")
struct ObjectTextTests {
  private static func page(_ json: String, label: String? = "app") throws -> ObjectTextPage {
    try ObjectTextPage(parsing: Array(json.utf8), type: .pods, label: label)
  }

  @Test(
    "An item is what it is when it is read as a value, but for managedFields",
    arguments: [
      #"{"metadata":{"name":"a","namespace":"n","resourceVersion":"7"},"spec":{"x":[1,{"y":null}]}}"#,
      #"{"metadata":{"managedFields":[{"a":{}}],"name":"a","namespace":"n","resourceVersion":"7"}}"#,
      #"{"metadata":{"name":"a","managedFields":[],"namespace":"n","resourceVersion":"7","managedFields":[1]}}"#,
      #" { "metadata" : { "name" : "a" , "namespace" : "n" , "resourceVersion" : "7" , "managedFields" : 1 } , "b" : 1 } "#,
      #"{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7","labels":null,"namespace":"n","name":"a"}}"#,
      #"{"status":{"metadata":{"name":"other"},"labels":{"app":"no"}},"metadata":{"name":"a","namespace":"n","resourceVersion":"7"}}"#,
      #"{"metadata":{"labels":{"app":"l","b":"c"},"name":"a","namespace":"n","resourceVersion":"7","annotations":{"q\"":"\u00e9"}}}"#,
    ])
  func item(_ item: String) throws {
    let list = #"{"kind":"PodList","metadata":{"resourceVersion":"99","continue":"t"},"items":[\#(item),\#(item)]}"#
    let page = try Self.page(list)
    var expected = ObjectPage(json: try JSONValue(parsing: list), type: .pods)
    for index in expected.items.indices { expected.items[index].json[path: ["metadata", "managedFields"]] = nil }
    #expect(try page.items.map { KubernetesObject(try JSONValue(parsing: $0.text)) } == expected.items)
    #expect(page.items.map(\.key) == expected.items.map(\.key))
    #expect(page.items.map(\.resourceVersion) == ["7", "7"])
    #expect(page.items.map(\.label) == expected.items.map { $0.metadata.labels["app"] })
    #expect((page.resourceVersion, page.continueToken) == ("99", "t"))
  }

  @Test(
    "An item whose name, version or label is no string is one without it, and hides no other",
    arguments: [#""name":1"#, #""name":null"#, #""namespace":["n"]"#, #""resourceVersion":7"#, #""labels":{"app":{}}"#])
  func oddItem(_ member: String) throws {
    let good = #"{"metadata":{"name":"a","namespace":"n","resourceVersion":"7","labels":{"app":"l"}}}"#
    let odd = #"{"metadata":{\#(member),"uid":"u"},"spec":{"x":1}}"#
    let list = #"{"kind":"PodList","metadata":{"resourceVersion":"99"},"items":[\#(odd),\#(good)]}"#
    let page = try Self.page(list)
    let expected = ObjectPage(json: try JSONValue(parsing: list), type: .pods)
    #expect(try page.items.map { KubernetesObject(try JSONValue(parsing: $0.text)) } == expected.items)
    #expect(page.items.map(\.key) == expected.items.map(\.key))
    #expect(page.items.map(\.resourceVersion) == expected.items.map(\.metadata.resourceVersion))
    #expect(page.items.last?.label == "l" && page.items.first?.label ?? "" == "")
  }

  @Test("A list may have no items, and no next page")
  func empty() throws {
    for items in ["null", "[]"] {
      let page = try Self.page(#"{"items":\#(items),"metadata":{"continue":"","resourceVersion":"5"}}"#)
      #expect(page == ObjectTextPage(items: [], resourceVersion: "5"))
    }
  }

  @Test(
    "What is no list is refused before anything of it is kept",
    arguments: [
      "[]", "nothing",
      #"{"items":[{"metadata":{"name":"a"},"spec":{"a":1e999}}]}"#,
      #"{"items":[{"spec":{"a":tru}}]}"#, #"{"items":{}}"#, #"{"items":[]"#, #"{"items":[{"a":"\q"}]}"#,
    ])
  func refusals(_ text: String) { #expect(throws: JSONError.self) { try Self.page(text) } }
}
