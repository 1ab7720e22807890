import CLinux
import FoundationEssentials
import Glibc
import KubernetesAPI
import Testing

@testable import Sandbox

@Suite("Processes and logs", .timeLimit(.minutes(1)))
struct ProcessTests {
  /// Starts a shell script; its process id.
  private func start(_ script: String, environment: [String] = []) throws -> Int32 {
    let command = ProcessCommand(
      arguments: ["/bin/sh", "-c", script], environment: ["PATH=/usr/bin:/bin"] + environment)
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    var step = CL_SPAWN_FORK
    let pid = SpawnRequest.spawn(
      path: "/bin/sh", command, input: null, output: null, diesWithCaller: false, step: &step)
    try #require(pid > 0)
    return pid
  }

  private func waitForEnd(_ pid: Int32) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, cl_errno() == EINTR {}
    return status & 0x7F
  }

  @Test("the reaper kills the groups that are left, their sessions, and what carries the marker, when its pipe closes")
  func reaper() throws {
    let marker = "PILOTLIGHT_SANDBOX=\(UUID().uuidString)"
    let group = try start("sleep 1000 & wait")
    let released = try start("exec sleep 1000")
    let marked = try start("exec sleep 1000", environment: [marker])
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    let text = "+\(group)\n+\(released)\nnonsense\n-\(released)\n+1\n"
    _ = Array(text.utf8).withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
    close(ends[1])
    ReaperProcess.run(input: ends[0], marker: marker)
    close(ends[0])
    #expect(waitForEnd(group) == SIGKILL)
    #expect(waitForEnd(marked) == SIGKILL)
    #expect(kill(released, 0) == 0)
    kill(released, SIGKILL)
    #expect(waitForEnd(released) == SIGKILL)
  }

  @Test(
    "a program that cannot start names the step and the reason",
    arguments: [
      ("/no/such/program", nil, CL_SPAWN_EXEC, ENOENT), ("/bin/true", "/no/such/folder", CL_SPAWN_DIRECTORY, ENOENT),
      ("/etc/passwd", nil, CL_SPAWN_EXEC, EACCES),
    ] as [(String, String?, cl_spawn_step, Int32)])
  func failures(path: String, directory: String?, step: cl_spawn_step, code: Int32) {
    var failed = CL_SPAWN_FORK
    let command = ProcessCommand(arguments: [path], environment: [], directory: directory)
    #expect(SpawnRequest.spawn(path: path, command, input: 0, output: 1, diesWithCaller: false, step: &failed) == -code)
    #expect(failed == step)
  }

  @Test("a program without a slash is looked for in PATH")
  func search() throws {
    #expect(try ProcessCommand(arguments: ["sh"], environment: ["PATH=/nowhere:/bin"]).resolvedPath() == "/bin/sh")
    #expect(throws: ProcessCommand.Failure.self) {
      try ProcessCommand(arguments: ["sh"], environment: ["PATH=/nowhere"]).resolvedPath()
    }
  }

  @Test("only sockets that listen on every address, on a pod's port, count")
  func wildcards() {
    let text = """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
         1: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0 0 10 0
         2: 00000000:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100 0 0 10 0
         3: 00000000:1F40 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 14 1 0 100 0 0 10 0
         4: 00000000000000000000000000000000:1F40 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 15 1 0 100 0 0 10 0
      """
    #expect(ProcessTable.wildcardListeners(in: text, on: [8000]).map(\.inode) == ["11", "15"])
  }

  @Test(
    "a port that is taken on every address is told from one that is taken on a single one", arguments: [true, false])
  func takenEverywhere(everywhere: Bool) throws {
    let descriptor = socket(everywhere ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let port = withUnsafeMutableBytes(of: &storage) { bytes -> Int in
      if everywhere {
        bytes.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
      } else {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        bytes.storeBytes(of: address, as: sockaddr_in.self)
      }
      guard let base = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), bind(descriptor, base, length) == 0,
        listen(descriptor, 1) == 0, getsockname(descriptor, base, &length) == 0
      else { return 0 }
      return Int(UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self)))
    }
    try #require(port > 0)
    #expect(ListenRule.mayBeTakenEverywhere(port) == everywhere)
    #expect(ProcessTable.wildcardListeners(on: [port]).isEmpty == !everywhere)
  }

  @Test("no two pods, and no two sandboxes, share an address")
  func addresses() throws {
    var first = LoopbackAddresses()
    var second = LoopbackAddresses()
    let all = try (0..<300).map { _ in try first.allocate() } + (0..<300).map { _ in try second.allocate() }
    #expect(Set(all).count == 600)
    #expect(all.allSatisfy { $0.hasPrefix("127.") && !$0.hasPrefix("127.0.0.") })
    first.releaseAll()
    second.releaseAll()
  }

  private func withLog(_ body: (ContainerLog) throws -> Void) rethrows {
    let path = "\(FileManager.default.temporaryDirectory.path)/pilotlight-log.\(UUID().uuidString)"
    defer { for name in [path, path + ".1"] { unlink(name) } }
    try body(ContainerLog(path: path))
  }

  private func read(_ log: ContainerLog, _ options: LogOptions) -> String {
    var filter = LogFilter(options)
    let cursor = LogCursor(log)
    if let lines = options.tailLines { cursor.skipToLast(lines: lines) }
    var text: [UInt8] = []
    while true {
      let piece = cursor.read()
      if piece.isEmpty { return String(decoding: text, as: UTF8.self) }
      text += filter.filter(piece)
    }
  }

  @Test("a log gives back lines whole, by number, time and length, however they were written")
  func log() {
    withLog { log in
      let start = Date(timeIntervalSince1970: 1_800_000_000)
      log.append(Array("on".utf8)[...], now: start)
      log.append(Array("e\ntwo\nth".utf8)[...], now: start)
      log.append(Array("ree\nfour".utf8)[...], now: start.addingTimeInterval(10))
      log.finish(now: start.addingTimeInterval(20))
      #expect(read(log, LogOptions()) == "one\ntwo\nthree\nfour\n")
      #expect(read(log, LogOptions(tailLines: 2)) == "three\nfour\n")
      #expect(read(log, LogOptions(tailLines: 0)) == "")
      #expect(read(log, LogOptions(tailLines: 99)) == "one\ntwo\nthree\nfour\n")
      #expect(read(log, LogOptions(limitBytes: 5)) == "one\nt")
      #expect(read(log, LogOptions(since: start.addingTimeInterval(15))) == "four\n")
      #expect(read(log, LogOptions(showsTimestamps: true, tailLines: 1)) == "2027-01-15T08:00:20.000000000Z four\n")
      #expect(log.lastWords == "one\ntwo\nthree\nfour")
    }
  }

  @Test("a log that is set aside is still read, in order")
  func rotation() {
    withLog { log in
      let now = Date(timeIntervalSince1970: 1_800_000_000)
      let line = Array((String(repeating: "x", count: 9999) + "\n").utf8)
      for _ in 0..<1100 { log.append(line[...], now: now) }
      log.append(Array("last\n".utf8)[...], now: now)
      #expect(log.rotations == 1)
      #expect(read(log, LogOptions(tailLines: 1)) == "last\n")
      #expect(read(log, LogOptions()).utf8.count == 1100 * 10_000 + 5)
      #expect(read(log, LogOptions(tailLines: 1100)).utf8.count == 1099 * 10_000 + 5)
    }
  }

  @Test("a line longer than a part comes back as one line")
  func longLine() {
    withLog { log in
      let text = String(repeating: "y", count: 50_000)
      log.append(Array((text + "\nend\n").utf8)[...], now: Date(timeIntervalSince1970: 0))
      #expect(read(log, LogOptions()) == text + "\nend\n")
    }
  }
}
