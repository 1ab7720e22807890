import CLinux
import FoundationEssentials
import Glibc
import KubernetesClient
import Synchronization

/// Credentials from a program that a kubeconfig names: run when the last ones are over or were refused, never twice at once, on a
/// thread of its own.
final class ExecCredentials: CredentialSource {
  private struct State {
    var cache = ExecCredentialCache()
    var isRunning = false
    var waiters: [AsyncThrowingStream<Credential, any Error>.Continuation] = []
  }

  private static let timeLimit: Duration = .seconds(60)
  private static let outputLimit = 1 << 20
  /// Of what it wrote to its standard error, for people.
  private static let errorLength = 1000

  private let plugin: ExecPlugin
  private let state = Mutex(State())

  init(_ plugin: ExecPlugin) { self.plugin = plugin }

  func credential() async throws -> Credential {
    let now = MonotonicClock.now
    let (stream, waiter) = AsyncThrowingStream.makeStream(of: Credential.self, throwing: (any Error).self)
    let (known, mustRun) = try state.withLock { state throws -> (Credential?, Bool) in
      if !state.isRunning {
        switch state.cache.step(now: now) {
        case .use(let credential): return (credential, false)
        case .fail(let error): throw error
        case .run: break
        }
      }
      state.waiters.append(waiter)
      defer { state.isRunning = true }
      return (nil, !state.isRunning)
    }
    if let known { return known }
    if mustRun { runOnThread() }
    for try await credential in stream { return credential }
    // Only a cancelled task's stream ends without a word.
    throw CancellationError()
  }

  func invalidate(_ refused: Credential) { state.withLock { $0.cache.invalidate(refused) } }

  private func runOnThread() {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self)
    let result = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<ExecCredentials>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    if result == 0 {
      pthread_detach(thread)
    } else {
      context.release()
      finish(.failure(plugin.failure("cannot be run: no thread is left (errno \(result))")))
    }
  }

  private func run() {
    do throws(TransportError) {
      let (credential, expiration) = try plugin.read(try output())
      let life = expiration.map { Duration.seconds($0.timeIntervalSince1970 - Date().timeIntervalSince1970) }
      finish(.success(.init(credential: credential, life: life)))
    } catch {
      finish(.failure(error))
    }
  }

  private func finish(_ result: Result<ExecCredentialCache.Issue, TransportError>) {
    let now = MonotonicClock.now
    let waiters = state.withLock { state in
      state.cache.ran(result, now: now)
      state.isRunning = false
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters {
      switch result {
      case .success(let issue):
        waiter.yield(issue.credential)
        waiter.finish()
      case .failure(let error): waiter.finish(throwing: error)
      }
    }
  }

  /// Runs the program to its end. - Throws: ``TransportError`` with what it said on its standard error.
  private func output() throws(TransportError) -> [UInt8] {
    let environment = plugin.environment.merging(["KUBERNETES_EXEC_INFO": plugin.information]) { $1 }
    let ended: BoundedProcess
    do throws(BoundedProcess.Failure) {
      ended = try BoundedProcess(
        running: [plugin.command] + plugin.arguments, environment: environment, timeLimit: Self.timeLimit,
        outputLimit: Self.outputLimit)
    } catch {
      switch error {
      case .notStarted(ENOENT):
        throw plugin.failure("is not found\(plugin.installHint.map { ": \($0)" } ?? "")")
      case .notStarted(let code): throw plugin.failure("cannot be run: \(String(cString: strerror(code)))")
      case .tooSlow: throw plugin.failure("was ended: it took longer than \(Self.timeLimit)")
      case .tooMuchOutput: throw plugin.failure("was ended: it wrote more than \(Self.outputLimit) bytes")
      }
    }
    guard ended.status == 0 else {
      let said = String(decoding: ended.standardError, as: UTF8.self).split(whereSeparator: \.isNewline)
      let words = said.joined(separator: " | ").prefix(Self.errorLength)
      throw plugin.failure("ended with status \(ended.status)\(words.isEmpty ? "" : ": \(words)")")
    }
    return ended.standardOutput
  }
}

/// When to run the program again, as a value.
struct ExecCredentialCache: Sendable {
  /// What a run gave.
  struct Issue: Hashable, Sendable {
    var credential: Credential
    /// Nil: it holds as long as the server takes it.
    var life: Duration?
  }

  enum Step: Equatable {
    case use(Credential)
    case fail(TransportError)
    case run
  }

  /// New ones are fetched this long before the old ones end, or after nine tenths of a short life.
  static let slack: Duration = .seconds(10)
  /// A program that goes on handing out what the server refuses is not run more often than this.
  static let pauseAfterRefusal: Duration = .seconds(10)
  /// Nor one that hands out what is over already.
  static let pauseAfterRun: Duration = .seconds(1)
  static let longestPauseAfterFailure: Duration = .seconds(30)

  private var present: Credential?
  private var end: Duration?
  private var isRefused = false
  private var ranAt: Duration?
  private var failure: TransportError?
  private var failures = 0

  mutating func step(now: Duration) -> Step {
    if let failure, let ranAt, now < ranAt + pauseAfterFailure { return .fail(failure) }
    guard let present, failure == nil else { return .run }
    if !isRefused, end.map({ now < $0 }) ?? true { return .use(present) }
    let pause = isRefused ? Self.pauseAfterRefusal : Self.pauseAfterRun
    if let ranAt, now < ranAt + pause { return .use(present) }
    return .run
  }

  mutating func ran(_ result: Result<Issue, TransportError>, now: Duration) {
    ranAt = now
    isRefused = false
    switch result {
    case .success(let issue):
      present = issue.credential
      end = issue.life.map { now + $0 - min(Self.slack, $0 * 0.1) }
      failure = nil
      failures = 0
    case .failure(let error):
      failure = error
      failures += 1
    }
  }

  /// Only what is in use now can be refused: of many requests that were refused together, the first has new ones fetched.
  mutating func invalidate(_ refused: Credential) { if refused == present { isRefused = true } }

  private var pauseAfterFailure: Duration {
    min(Self.longestPauseAfterFailure, .seconds(1 << min(failures - 1, 10)))
  }
}
