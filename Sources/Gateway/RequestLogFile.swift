import FleetProtocol
import Glibc
import Synchronization
import Telemetry

/// The file of `--request-log`: every request as a row of ``RequestLogRow``, appended.
///
/// Rows are collected in memory and written when there are 64 KB of them, or by ``flush()``, which its owner calls every
/// second and at the end. A disk that refuses stops no request: rows wait, up to a bound, and what comes then is counted as
/// dropped. No row is ever torn: what a partial write left over goes out first.
public final class RequestLogFile: Sendable {
  /// Why the file cannot be opened.
  public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
    public var path: String
    public var number: Int32
    public var description: String {
      "the request log '\(path)' cannot be opened: \(String(cString: strerror(number)))"
    }
  }

  /// Rows of together so many bytes are written without waiting for ``flush()``.
  static let writeSize = 64 << 10

  private struct Pending {
    var octets: [UInt8] = []
    /// The last write failed: only ``flush()`` tries again.
    var isRefused = false
    var dropped = 0
    var failures = 0
  }

  private struct Output: ~Copyable {
    var descriptor: Int32
    /// What the file began a row with and has not taken yet; it goes out before all else.
    var rest: [UInt8] = []
    /// An empty buffer with room, for the next rows.
    var spare: [UInt8] = []
    /// Errors that were reported since the last success.
    var reported: Set<Int32> = []
  }

  public let path: String
  private let limit: Int
  private let log: Log
  private let pending = Mutex(Pending())
  /// Held while writing, so that loops that append meanwhile do not wait for the disk.
  private let output: Mutex<Output>

  /// Opens the file for appending; makes it, readable by owner and group, where there is none.
  ///
  /// - Parameters:
  ///   - limit: bytes of rows that are kept while the disk refuses.
  ///   - log: is told of each distinct error once, and when it is over.
  /// - Throws: ``Problem``.
  public init(path: String, limit: Int = 4 << 20, log: Log) throws(Problem) {
    self.path = path
    self.limit = limit
    self.log = log
    output = Mutex(Output(descriptor: try Self.open(path)))
  }

  deinit {
    flush()
    _ = output.withLock { Glibc.close($0.descriptor) }
  }

  /// Rows lost because the disk refused and the memory for them was full.
  public var dropped: Int { pending.withLock { $0.dropped } }
  /// Writes, and attempts to open the file again, that failed.
  public var failures: Int { pending.withLock { $0.failures } }

  /// Adds a row. From any thread; the caller whose row fills the buffer writes it.
  public func append(_ row: RequestLogRow) {
    let isFull = pending.withLock { pending in
      guard pending.octets.count < limit else {
        pending.dropped += 1
        return false
      }
      row.appendLine(to: &pending.octets)
      return pending.octets.count >= Self.writeSize && !pending.isRefused
    }
    // Somebody else who writes now takes these rows with the next lot.
    if isFull { output.withLockIfAvailable { write(to: &$0) } }
  }

  /// Writes what there is.
  public func flush() { output.withLock { write(to: &$0) } }

  /// Writes what there is and opens the path again: what is appended from now on goes to the file that has the name now. If
  /// that fails, the old file is kept.
  public func reopen() {
    output.withLock { output in
      write(to: &output)
      do throws(Problem) {
        let descriptor = try Self.open(path)
        Glibc.close(output.descriptor)
        output.descriptor = descriptor
        // The end of a row whose beginning is in the old file would be no row.
        if !output.rest.isEmpty {
          output.rest = []
          pending.withLock { $0.dropped += 1 }
        }
      } catch {
        failed(error.number, "the request log cannot be opened again", &output)
      }
    }
  }

  private static func open(_ path: String) throws(Problem) -> Int32 {
    // O_NONBLOCK is for a path that is a pipe: a reader that stalls must not stop the gateway.
    let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o640)
    guard descriptor >= 0 else { throw Problem(path: path, number: errno) }
    return descriptor
  }

  private func write(to output: inout Output) {
    let isContinued = !output.rest.isEmpty
    var octets = output.rest
    output.rest = []
    pending.withLock { pending in
      if isContinued { octets += pending.octets } else { swap(&octets, &pending.octets) }
      // What was collected while the disk refused is not kept for good.
      pending.octets = output.spare.capacity <= 2 * Self.writeSize ? output.spare : []
    }
    output.spare = []
    guard !octets.isEmpty else { return }
    let (count, error) = Self.write(octets, to: output.descriptor)
    guard let error else {
      octets.removeAll(keepingCapacity: true)
      output.spare = octets
      return recovered(&output)
    }
    // The row that the write stopped in belongs to this file; the rows after it wait with those that came meanwhile.
    let lineFeed = UInt8(ascii: "\n")
    let isTorn = count > 0 ? octets[count - 1] != lineFeed : isContinued
    let rowEnd = isTorn ? (octets[count...].firstIndex(of: lineFeed) ?? octets.count - 1) + 1 : count
    output.rest = Array(octets[count..<rowEnd])
    pending.withLock { $0.octets.insert(contentsOf: octets[rowEnd...], at: 0) }
    failed(error, "the request log cannot be written", &output)
  }

  /// Writes until all is out or the kernel refuses. - Returns: how many bytes are out, and the error.
  private static func write(_ octets: [UInt8], to descriptor: Int32) -> (count: Int, error: Int32?) {
    octets.withUnsafeBytes { bytes in
      var count = 0
      while count < bytes.count {
        let written = Glibc.write(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count)
        if written < 0 {
          if errno == EINTR { continue }
          return (count, errno)
        }
        guard written > 0 else { return (count, EIO) }
        count += written
      }
      return (count, nil)
    }
  }

  private func failed(_ number: Int32, _ what: String, _ output: inout Output) {
    pending.withLock { pending in
      pending.isRefused = true
      pending.failures += 1
    }
    guard output.reported.insert(number).inserted else { return }
    log.error(
      what, ["path": path, "problem": String(cString: strerror(number)), "dropped": dropped])
  }

  private func recovered(_ output: inout Output) {
    guard !output.reported.isEmpty else { return }
    output.reported = []
    let dropped = pending.withLock { pending in
      pending.isRefused = false
      return pending.dropped
    }
    log.info("the request log is written again", ["path": path, "dropped": dropped])
  }
}
