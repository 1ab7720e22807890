import KubernetesAPI

extension SchemaNode {
  func unknownFields(in json: JSONValue) -> [String] { [] }
  func pruned(_ v: JSONValue) -> JSONValue { v }
  func defaulted(_ v: JSONValue) -> JSONValue { v }
  func violations(in json: JSONValue, at path: String) -> [KubernetesStatus.Cause] { [] }
  var openAPI: JSONValue { [:] }
}
