import Glibc

/// A trace in a file or on standard input, read as it is asked for: memory does not grow with its length.
public struct TraceFile: TraceSource {
  /// Why a file cannot be read.
  public struct Unreadable: Error, Sendable, CustomStringConvertible {
    public var description: String
  }

  /// Closes the file with the last copy of the trace.
  private final class File {
    let descriptor: CInt
    init(_ descriptor: CInt) { self.descriptor = descriptor }
    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }
  }

  /// What one read(2) asks for: 256 KiB, where more bring nothing more.
  private static let chunkBytes = 256 * 1024
  private let path: String
  private let file: File
  private var parser: TraceParser
  public private(set) var progress: TraceProgress

  /// - Parameter path: `-` is standard input.
  public init(path: String, _ reading: TraceReading = TraceReading()) throws {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Unreadable(description: "cannot read '\(path)': \(String(cString: strerror(errno)))")
    }
    self.path = path
    file = File(descriptor)
    var status = stat()
    let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    progress = TraceProgress(total: isFile ? Int64(status.st_size) : nil)
    parser = TraceParser(
      file: path == "-" ? "standard input" : path, model: reading.model ?? Self.modelName(path), reading)
  }

  public var models: [String] { parser.names }
  public var problems: TraceProblems { parser.problems }

  @inline(__always)
  public mutating func next() throws -> TraceRequest? {
    while true {
      switch try parser.next() {
      case .request(let request): return request
      case .end: return nil
      case .incomplete:
        let descriptor = file.descriptor
        let path = path
        progress.read += Int64(
          try parser.feed(upTo: Self.chunkBytes) { try Self.read(descriptor, into: $0, path) })
      }
    }
  }

  private static func read(_ descriptor: CInt, into buffer: UnsafeMutableRawBufferPointer, _ path: String) throws -> Int
  {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      guard errno == EINTR else {
        throw Unreadable(description: "cannot read '\(path)': \(String(cString: strerror(errno)))")
      }
    }
  }

  /// The file's name without its folders and its ending.
  private static func modelName(_ path: String) -> String {
    if path == "-" { return "stdin" }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard let point = name.lastIndex(of: "."), point > name.startIndex else { return name }
    return String(name[..<point])
  }
}
