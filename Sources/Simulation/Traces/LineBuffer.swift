import Glibc

/// Cuts what arrives in pieces of any size into lines.
struct LineBuffer {
  /// A longer line is refused: 1 MiB. The longest of the published traces has 2 KB.
  static let mostLineBytes = 1 << 20

  private var octets: [UInt8] = []
  private var start = 0
  private var end = 0
  /// Up to where there is no line feed.
  private var searched = 0
  private var isEnded = false
  /// The rest of a line that was too long is dropped.
  private var isDropping = false
  /// Number of the line that ``next()`` gave last, from 1.
  private(set) var number = 0

  enum Line {
    /// Where it stands, without its line end.
    case line(Range<Int>)
    /// It is longer than ``mostLineBytes``.
    case overlong
    /// There is none until more is fed.
    case incomplete
    case end
  }

  /// Lets `fill` write at most `count` octets at the end; it returns how many it wrote, 0 for the end of the file.
  mutating func feed(upTo count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int {
    if start > 0 {
      octets.withUnsafeMutableBytes { bytes in
        if let base = bytes.baseAddress { memmove(base, base + start, end - start) }
      }
      (start, searched, end) = (0, searched - start, end - start)
    }
    if octets.count < end + count { octets += [UInt8](repeating: 0, count: end + count - octets.count) }
    let length = try octets.withUnsafeMutableBytes {
      try fill(UnsafeMutableRawBufferPointer(rebasing: $0[end..<end + count]))
    }
    end += length
    if length == 0 { isEnded = true }
    return length
  }

  @inline(__always)
  mutating func next() -> Line {
    while true {
      if let feed = firstLineFeed() {
        let line = start..<feed
        (start, searched) = (feed + 1, feed + 1)
        if isDropping {
          isDropping = false
          continue
        }
        number += 1
        return line.count > Self.mostLineBytes ? .overlong : .line(line)
      }
      if let line = withoutLineFeed() { return line }
    }
  }

  @inline(__always)
  private func firstLineFeed() -> Int? {
    octets.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, let found = memchr(base + searched, 0x0A, end - searched) else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }

  /// What there is when no line is complete; nil: nothing of it counts.
  private mutating func withoutLineFeed() -> Line? {
    searched = end
    if isDropping { start = end }
    if !isDropping, end - start > Self.mostLineBytes {
      (start, isDropping) = (end, true)
      number += 1
      return .overlong
    }
    guard isEnded else { return .incomplete }
    guard start < end else { return .end }
    let line = start..<end
    start = end
    number += 1
    return .line(line)
  }

  /// Gives the octets of a line to `body`.
  @inline(__always)
  func withBytes<Value>(of line: Range<Int>, _ body: (LineBytes) throws(RowProblem) -> Value) throws(RowProblem)
    -> Value
  {
    // The array's own method does not pass typed errors on when it is given a generic one.
    let result = octets.withUnsafeBufferPointer { all -> Result<Value, RowProblem> in
      do throws(RowProblem) { return .success(try body(LineBytes(rebasing: all[line]))) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}
