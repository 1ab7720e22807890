import Decisions
import FoundationEssentials
import KubernetesAPI

/// The ConfigMap that a book is stored in: one per namespace and day, in Pilotlight's own namespace.
public enum LedgerConfigMap {
  /// Most bytes of a stored book. An API server takes 1 MiB of data; half of it leaves room for what others add.
  public static let mostBytes = 512 << 10
  /// Of all books.
  public static let label = "serving.pilotlight.dev/ledger"
  /// The day, as `2026-11-27`.
  public static let dayLabel = "serving.pilotlight.dev/ledger-day"
  /// The namespace that the book is about.
  public static let namespaceLabel = "serving.pilotlight.dev/ledger-namespace"
  static let dataKey = "book.json"

  static func name(namespace: String, day: Int) -> String { "pilotlight-ledger.\(namespace).\(date(day))" }

  /// `2026-11-27`.
  public static func date(_ day: Int) -> String {
    String(Timestamp.seconds(Date(timeIntervalSince1970: Double(day) * 86_400)).prefix(10))
  }

  /// Selects the books of some days.
  public static func selector(days: ClosedRange<Int>, namespace: String? = nil) -> String {
    let list = days.map(date).joined(separator: ",")
    return "\(label)=book,\(dayLabel) in (\(list))" + (namespace.map { ",\(namespaceLabel)=\($0)" } ?? "")
  }

  /// Selects all books of a namespace; nil: of all namespaces.
  public static func selector(namespace: String?) -> String {
    "\(label)=book" + (namespace.map { ",\(namespaceLabel)=\($0)" } ?? "")
  }

  /// The object to store, and what was summed up or left out to make it fit; nil: it cannot be made to fit.
  static func object(
    _ book: LedgerBook, home: String, mostBytes: Int = mostBytes
  ) -> (object: KubernetesObject, foldings: [LedgerBook.Folding])? {
    var book = book
    var foldings: [LedgerBook.Folding] = []
    var steps = LedgerBook.Folding.allCases[...]
    while true {
      let text = LedgerCodec.json(book).text
      if text.utf8.count <= mostBytes {
        var object = KubernetesObject(
          .configMaps, ObjectKey(namespace: home, name: name(namespace: book.namespace, day: book.day)))
        object.json[path: ["metadata", "labels"]] = [
          label: "book", dayLabel: .string(date(book.day)), namespaceLabel: .string(book.namespace),
        ]
        object.json["data"] = [dataKey: .string(text)]
        return (object, foldings)
      }
      guard let step = steps.popFirst() else { return nil }
      book = book.folded(step)
      foldings.append(step)
    }
  }

  /// Reads a stored book. - Throws: `LedgerCodec.Unreadable`, which names the object.
  public static func book(_ object: KubernetesObject) throws(LedgerCodec.Unreadable) -> LedgerBook {
    let name = object.metadata.name
    guard let text = object.json[path: ["data", dataKey]]?.stringValue else {
      throw LedgerCodec.Unreadable(description: "\(name) has no data[\(dataKey)]")
    }
    do {
      return try LedgerCodec.book(try JSONValue(parsing: text))
    } catch {
      throw LedgerCodec.Unreadable(description: "\(name): \(error)")
    }
  }
}
