import Decisions
import FoundationEssentials
import KubernetesAPI

/// The ConfigMap that a book is stored in, in Pilotlight's own namespace: one per namespace and day, and more where one has no
/// room.
public enum LedgerConfigMap {
  /// Most bytes of a book's part. An API server takes 1 MiB of data; half of it leaves room for what others add.
  public static let mostBytes = 512 << 10
  /// Of all books.
  public static let label = "serving.pilotlight.dev/ledger"
  /// The day, as `2026-11-27`.
  public static let dayLabel = "serving.pilotlight.dev/ledger-day"
  /// The namespace that the book is about.
  public static let namespaceLabel = "serving.pilotlight.dev/ledger-namespace"
  static let dataKey = "book.json"

  static func name(namespace: String, day: Int, part: Int = 0) -> String {
    "pilotlight-ledger.\(namespace).\(date(day))" + (part > 0 ? ".\(part)" : "")
  }

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

  /// A book as it is stored.
  package struct Image {
    /// In the order in which they are to be written: parts that are new come before those that they were split from.
    package var objects: [KubernetesObject]
    /// What was summed up or left out to make it fit.
    package var foldings: [LedgerBook.Folding]
    package var parts: Int
  }

  /// The objects to store; nil: it cannot be made to fit. Rows are summed up first, as far as no sum changes; then the models
  /// are spread over twice as many parts, and so on; then something is left out.
  package static func image(
    _ book: LedgerBook, home: String, mostBytes: Int = mostBytes, mostParts: Int = LedgerBook.mostParts
  ) -> Image? {
    var (book, parts) = (book, book.parts)
    var foldings: [LedgerBook.Folding] = []
    var steps = LedgerBook.Folding.allCases[...]
    while true {
      if let texts = texts(book, parts, mostBytes) {
        let objects = texts.enumerated().reversed().map { object(book, part: $0.offset, $0.element, home: home) }
        return Image(objects: objects, foldings: foldings, parts: parts)
      }
      if steps.first?.isLossy ?? true, parts < mostParts {
        parts *= 2
        continue
      }
      guard let step = steps.popFirst() else { return nil }
      book = book.folded(step)
      foldings.append(step)
    }
  }

  /// Each part as text; nil: one is too long.
  private static func texts(_ book: LedgerBook, _ parts: Int, _ mostBytes: Int) -> [String]? {
    // Most of what is far too long is known to be so without its text.
    guard leastBytes(of: book) <= mostBytes * parts else { return nil }
    var texts: [String] = []
    for part in 0..<parts {
      let text = LedgerCodec.json(book.part(part, of: parts)).text
      guard text.utf8.count <= mostBytes else { return nil }
      texts.append(text)
    }
    return texts
  }

  /// No text of the book is shorter: of each row and model its brackets, zeros and shortest names.
  static func leastBytes(of book: LedgerBook) -> Int {
    let models = book.models.values.reduce(0) { bytes, model in
      bytes + 12 + model.note.utf8.count + 10 * (model.replicas.count + model.usage.count + model.demand.count)
    }
    let cursors = book.gateways.values.reduce(0) { bytes, cursor in
      bytes + cursor.services.values.reduce(0) { $0 + 12 + 8 * $1.rows.count }
    }
    return models + cursors + 20 * book.pods.count
  }

  private static func object(_ book: LedgerBook, part: Int, _ text: String, home: String) -> KubernetesObject {
    let name = name(namespace: book.namespace, day: book.day, part: part)
    var object = KubernetesObject(.configMaps, ObjectKey(namespace: home, name: name))
    object.json[path: ["metadata", "labels"]] = [
      label: "book", dayLabel: .string(date(book.day)), namespaceLabel: .string(book.namespace),
    ]
    object.json["data"] = [dataKey: .string(text)]
    return object
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
