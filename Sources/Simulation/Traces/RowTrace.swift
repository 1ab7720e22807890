import Decisions
import Glibc

/// A trace file, read line by line by a ``TraceReader``; of a request log the rows are kept, to be sorted.
public struct RowTrace: TraceSource {
  /// Why a trace cannot be read.
  public struct Problem: Error, Sendable, CustomStringConvertible {
    public var description: String
  }
  /// Closes the file with the last copy of the trace.
  private final class File {
    let handle: UnsafeMutablePointer<FILE>
    init(_ handle: UnsafeMutablePointer<FILE>) { self.handle = handle }
    deinit { fclose(handle) }
  }

  private let file: File
  private var reader = TraceReader()
  private var indices: [String: Int32] = [:]
  private var sorted: [TraceRequest]?
  private var position = 0
  public private(set) var models: [String] = []

  /// - Parameter path: `-` is standard input.
  public init(path: String) throws {
    guard let handle = path == "-" ? fdopen(STDIN_FILENO, "r") : fopen(path, "r") else {
      throw Problem(description: "cannot read '\(path)': \(String(cString: strerror(errno)))")
    }
    file = File(handle)
  }

  public mutating func next() throws -> TraceRequest? {
    if sorted != nil { return nextSorted() }
    guard let request = try read() else { return nil }
    if reader.isOrdered { return request }
    var all = [request]
    while let more = try read() { all.append(more) }
    sorted = all.sorted { $0.timeMicroseconds < $1.timeMicroseconds }
    return nextSorted()
  }

  private mutating func nextSorted() -> TraceRequest? {
    guard let sorted, position < sorted.count else { return nil }
    position += 1
    return sorted[position - 1]
  }

  private mutating func read() throws -> TraceRequest? {
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file.handle) >= 0, let line {
      let text = String(cString: line)
      guard let row = try reader.read(text.last?.isNewline == true ? text.dropLast() : text[...]) else { continue }
      return TraceRequest(
        timeMicroseconds: row.time.wholeMicroseconds, durationMicroseconds: row.duration?.wholeMicroseconds ?? -1,
        model: index(of: row.model))
    }
    return nil
  }

  private mutating func index(of model: String) -> Int32 {
    if let index = indices[model] { return index }
    let index = Int32(models.count)
    indices[model] = index
    models.append(model)
    return index
  }
}
