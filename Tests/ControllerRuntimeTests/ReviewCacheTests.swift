import Testing

@testable import ControllerRuntime

@Suite("What is remembered of reviews") struct ReviewCacheTests {
  private static let path = AccessQuestion.path("/debug/state", verb: "get")
  private let start = Duration.seconds(1000)

  private func key(_ number: Int, _ question: AccessQuestion = path) -> ReviewCache.Key {
    ReviewCache.Key(digest: [UInt8(number >> 8), UInt8(number & 255)], question: question)
  }

  /// A cache that knows one token.
  private func cache(knowing verdict: AccessVerdict) -> ReviewCache {
    var cache = ReviewCache()
    #expect(cache.look(key(1), from: "a", now: start) == .review)
    #expect(cache.finish(key(1), verdict, now: start) == .success(verdict))
    return cache
  }

  @Test("a good token is asked about again after a minute, and nobody waits while it is in use")
  func allowed() {
    var cache = cache(knowing: .allowed)
    #expect(cache.look(key(1), from: "a", now: start + .seconds(59)) == .known(.allowed))
    #expect(cache.look(key(1), from: "a", now: start + .seconds(60)) == .renew)
    #expect(cache.look(key(1), from: "a", now: start + .seconds(61)) == .known(.allowed))
    _ = cache.finish(key(1), .forbidden(user: "anna"), now: start + .seconds(61))
    #expect(cache.look(key(1), from: "a", now: start + .seconds(62)) == .known(.forbidden(user: "anna")))
  }

  @Test("one that was not shown for long is asked about before it is let in")
  func longUnused() {
    var cache = cache(knowing: .allowed)
    #expect(cache.look(key(1), from: "a", now: start + .seconds(90)) == .review)
    #expect(cache.look(key(1), from: "a", now: start + .seconds(90)) == .join)
  }

  @Test("a wrong token is asked about again after five seconds")
  func refused() {
    var cache = cache(knowing: .unauthenticated)
    #expect(cache.look(key(1), from: "a", now: start + .milliseconds(4999)) == .known(.unauthenticated))
    #expect(cache.look(key(1), from: "a", now: start + .seconds(5)) == .review)
  }

  @Test("another question about the same token is another review")
  func questions() {
    var cache = cache(knowing: .allowed)
    let other = key(1, .identity(user: "c", audience: "g"))
    #expect(cache.look(other, from: "a", now: start) == .review)
  }

  @Test("with the API server away a good token stays good for an hour, and is tried each five seconds")
  func outage() {
    var cache = cache(knowing: .allowed)
    var now = start + .seconds(300)
    #expect(cache.look(key(1), from: "a", now: now) == .review)
    #expect(cache.finish(key(1), nil, now: now) == .success(.allowed))
    #expect(cache.look(key(1), from: "a", now: now + .seconds(4)) == .known(.allowed))
    #expect(cache.look(key(1), from: "a", now: now + .seconds(5)) == .renew)
    #expect(cache.finish(key(1), nil, now: now + .seconds(10)) == .success(.allowed))
    now = start + .seconds(3600)
    #expect(cache.look(key(1), from: "a", now: now) == .review)
    #expect(cache.finish(key(1), nil, now: now) == .failure(.unavailable))
    #expect(cache.look(key(2), from: "a", now: now) == .review)
    #expect(cache.finish(key(2), nil, now: now) == .failure(.unavailable))
  }

  @Test("reviews for strangers are bounded over all and for one peer; a good token's does not wait for them")
  func bounds() {
    var cache = cache(knowing: .allowed)
    var begun = 0
    for peer in 0..<10 {
      for token in 0..<5 where cache.look(key(100 + peer * 5 + token), from: "\(peer)", now: start) == .review {
        begun += 1
        #expect(token < ReviewCache.concurrentPerPeer)
      }
    }
    #expect(begun == ReviewCache.concurrent)
    #expect(cache.look(key(999), from: "new", now: start) == .unknown(.busy))
    #expect(cache.look(key(1), from: "a", now: start + .seconds(60)) == .renew)
    _ = cache.finish(key(100), .unauthenticated, now: start)
    #expect(cache.look(key(999), from: "new", now: start) == .review)
  }

  @Test("refusals push out refusals, never a good token")
  func capacity() {
    var cache = cache(knowing: .allowed)
    for number in 0..<(ReviewCache.capacity + 10) {
      #expect(cache.look(key(1000 + number), from: "a", now: start + .milliseconds(number)) == .review)
      _ = cache.finish(key(1000 + number), .unauthenticated, now: start + .milliseconds(number))
    }
    let now = start + .seconds(1)
    #expect(cache.look(key(1), from: "a", now: now) == .known(.allowed))
    #expect(cache.look(key(1000), from: "a", now: now) == .review)
    #expect(cache.look(key(1000 + ReviewCache.capacity), from: "a", now: now) == .known(.unauthenticated))
  }
}
