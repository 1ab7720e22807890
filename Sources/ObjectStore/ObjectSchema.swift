import KubernetesAPI

/// The parts of a schema that every object has.
enum ObjectSchema {
  /// `schema` with `apiVersion`, `kind` and the real `metadata`; nil takes any object.
  static func completed(_ schema: SchemaNode?, description: String) -> SchemaNode {
    var node = schema ?? SchemaNode(.object, description)
    if schema == nil { node.preservesUnknownFields = true }
    let own = node.properties.filter { !["apiVersion", "kind", "metadata"].contains($0.name) }
    node.properties = [("apiVersion", apiVersion), ("kind", kind), ("metadata", metadata)] + own
    return node
  }

  private static let apiVersion = SchemaNode(
    .string,
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values."
  )
  private static let kind = SchemaNode(
    .string,
    "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase."
  )

  /// `meta/v1 ObjectMeta`.
  static let metadata: SchemaNode = .object(
    "Standard object's metadata.",
    [
      ("annotations", .map(.string(), "Unstructured key value map that external tools may set.")),
      ("creationTimestamp", .string("When the object was created, by the server's clock.", isNullable: true)),
      ("deletionGracePeriodSeconds", .integer("Seconds before the object is removed from the system.")),
      ("deletionTimestamp", .string("When the object will be deleted.", isNullable: true)),
      ("finalizers", .set(.string(), "Must be empty before the object is deleted from the registry.")),
      ("generateName", .string("Prefix of a unique name, used only if name is not given.")),
      ("generation", .integer("Sequence number of the desired state.")),
      ("labels", .map(.string(), "Map of string keys and values to organize and categorize objects.")),
      ("managedFields", .list(.opaque(), "Who owns which fields.")),
      ("name", .string("Name must be unique within a namespace.")),
      ("namespace", .string("Space within which each name must be unique.")),
      ("ownerReferences", .keyed(["uid"], ownerReference, "Objects that this object depends on.")),
      ("resourceVersion", .string("Internal version of this object, for optimistic concurrency and watches.")),
      ("selfLink", .string("Legacy; not populated.")),
      ("uid", .string("Unique in time and space value for this object.")),
    ])

  private static let ownerReference: SchemaNode = .object(
    "An owning object.",
    [
      ("apiVersion", .string("API version of the referent.")),
      (
        "blockOwnerDeletion", .boolean("The owner cannot be deleted, in the foreground, before this reference is gone.")
      ),
      ("controller", .boolean("The managing controller.")),
      ("kind", .string("Kind of the referent.")),
      ("name", .string("Name of the referent.")),
      ("uid", .string("UID of the referent.")),
    ])
}
