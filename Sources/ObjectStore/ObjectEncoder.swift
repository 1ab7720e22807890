import FoundationEssentials
import KubernetesAPI

/// Writes objects, lists and watch events of one resource in the form the client asked for.
struct ObjectEncoder: Sendable {
  enum IncludedObject: String, Sendable {
    case none = "None"
    case metadata = "Metadata"
    case object = "Object"
  }

  let definition: ResourceDefinition
  let representation: Representation
  /// What each table row carries.
  var includedObject = IncludedObject.metadata
  /// Only the first event of a watch carries the columns.
  private var hasWrittenColumns = false

  init(definition: ResourceDefinition, representation: Representation, includedObject: String? = nil) {
    self.definition = definition
    self.representation = representation
    self.includedObject = includedObject.flatMap(IncludedObject.init(rawValue:)) ?? .metadata
  }

  func object(_ object: KubernetesObject, now: Date) -> JSONValue {
    switch representation {
    case .object: return object.json
    case .metadata(let version): return partial(object, version: version)
    case .table(let version):
      return table([object], version: version, metadata: listMetadata(of: object), withColumns: true, now: now)
    }
  }

  func list(_ objects: [KubernetesObject], metadata: JSONValue, now: Date) -> JSONValue {
    switch representation {
    case .object:
      var metadata = metadata
      // An API server keeps lists of custom resources without a type, and then writes the member though it is empty.
      if definition.isCustom, metadata["continue"] == nil { metadata["continue"] = "" }
      return [
        "apiVersion": .string(definition.type.apiVersion), "kind": .string(definition.listKind), "metadata": metadata,
        "items": .array(objects.map(item)),
      ]
    case .metadata(let version):
      return [
        "apiVersion": .string("meta.k8s.io/\(version)"), "kind": "PartialObjectMetadataList", "metadata": metadata,
        "items": .array(objects.map { partial($0, version: version) }),
      ]
    case .table(let version):
      return table(objects, version: version, metadata: metadata, withColumns: true, now: now)
    }
  }

  /// One line of a watch stream.
  mutating func line(_ event: WatchEvent, now: Date) -> [UInt8] {
    let object: JSONValue
    switch (event.kind, representation) {
    case (.error, _), (_, .object): object = event.object.json
    case (_, .metadata(let version)): object = partial(event.object, version: version)
    case (.bookmark, .table(let version)):
      object = table(
        [], version: version, metadata: event.object.json["metadata"] ?? [:], withColumns: false, now: now)
    case (_, .table(let version)):
      object = table(
        [event.object], version: version, metadata: listMetadata(of: event.object), withColumns: !hasWrittenColumns,
        now: now)
      hasWrittenColumns = true
    }
    let line: JSONValue = ["type": .string(event.kind.rawValue), "object": object]
    return line.bytes + [0x0A]
  }

  /// Items of built-in lists do not repeat their type; those of custom resources do.
  private func item(_ object: KubernetesObject) -> JSONValue {
    if definition.isCustom { return object.json }
    var json = object.json
    json["apiVersion"] = nil
    json["kind"] = nil
    return json
  }

  private func partial(_ object: KubernetesObject, version: String) -> JSONValue {
    [
      "apiVersion": .string("meta.k8s.io/\(version)"), "kind": "PartialObjectMetadata",
      "metadata": object.json["metadata"] ?? [:],
    ]
  }

  private func listMetadata(of object: KubernetesObject) -> JSONValue {
    ["resourceVersion": .string(object.metadata.resourceVersion)]
  }

  private func table(
    _ objects: [KubernetesObject], version: String, metadata: JSONValue, withColumns: Bool, now: Date
  ) -> JSONValue {
    let columns = [TableColumn.name] + definition.columns
    return [
      "apiVersion": .string("meta.k8s.io/\(version)"), "kind": "Table", "metadata": metadata,
      "columnDefinitions": withColumns ? .array(columns.map(\.json)) : .null,
      "rows": .array(objects.map { row($0, columns: columns, version: version, now: now) }),
    ]
  }

  private func row(_ object: KubernetesObject, columns: [TableColumn], version: String, now: Date) -> JSONValue {
    var row: JSONValue = ["cells": .array(columns.map { $0.cell(object, now) })]
    switch includedObject {
    case .none: break
    case .metadata: row["object"] = partial(object, version: version)
    case .object: row["object"] = object.json
    }
    return row
  }
}

extension TableColumn {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "type": .string(type), "format": .string(format), "description": .string(description),
      "priority": JSONValue(priority),
    ]
  }
}
