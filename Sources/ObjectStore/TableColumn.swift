import FoundationEssentials
import KubernetesAPI

/// One column of what `kubectl get` prints.
public struct TableColumn: Sendable {
  public var name: String
  /// OpenAPI type of the cells: `string`, `integer`, `number`, `boolean`, `date`.
  public var type: String
  public var format: String
  public var description: String
  /// 0 is always shown; more only with `-o wide`.
  public var priority: Int
  /// The cell of an object at a time; null prints as nothing.
  public var cell: @Sendable (KubernetesObject, Date) -> JSONValue

  public init(
    _ name: String, type: String = "string", format: String = "", description: String = "", priority: Int = 0,
    cell: @escaping @Sendable (KubernetesObject, Date) -> JSONValue
  ) {
    self.name = name
    self.type = type
    self.format = format
    self.description = description
    self.priority = priority
    self.cell = cell
  }

  /// A printer column of a CustomResourceDefinition. `date` columns show the time since, as `kubectl get` does.
  public init(
    _ name: String, type: String, jsonPath: String, description: String = "", priority: Int = 0, format: String = ""
  ) {
    let path = JSONPath(jsonPath)
    let isDate = type == "date"
    self.init(name, type: type, format: format, description: description, priority: priority) { object, now in
      guard let value = path.first(in: object.json) else { return .null }
      if isDate { return .string(HumanDuration.age(of: value.stringValue, now: now)) }
      switch value {
      case .array, .object: return .string(value.text)
      default: return value
      }
    }
  }

  /// The first column of every table.
  static let name = TableColumn(
    "Name", format: "name", description: "Name must be unique within a namespace."
  ) { object, _ in .string(object.metadata.name) }

  /// Time since creation, the last column of most tables.
  public static let age = TableColumn("Age", description: "Time since creation.") { object, now in
    .string(HumanDuration.age(of: object.metadata.creationTimestamp, now: now))
  }
}
