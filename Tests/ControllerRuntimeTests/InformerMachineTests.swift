import KubernetesAPI
import KubernetesClient
import Testing

@testable import ControllerRuntime

private func pod(_ name: String, _ version: Int = 1) -> KubernetesObject {
  KubernetesObject([
    "apiVersion": "v1", "kind": "Pod",
    "metadata": ["name": .string(name), "namespace": "ns", "resourceVersion": .string(String(version))],
  ])
}

private func page(items: [KubernetesObject], resourceVersion: String, continueToken: String? = nil) -> StoredPage {
  StoredPage(ObjectPage(items: items, resourceVersion: resourceVersion, continueToken: continueToken))
}

private let gone = KubernetesStatus(code: 410, reason: "Expired", message: "too old resource version: 1 (276)")

private let tooLarge = KubernetesStatus(
  code: 504, reason: "Timeout", message: "Timeout: Too large resource version: 10, current: 9",
  details: .init(causes: [.init(reason: "ResourceVersionTooLarge", message: "Too large resource version", field: "")]))

/// Drives a machine through events one second apart, and keeps what it wants.
private struct Drive {
  var machine = InformerMachine(
    configuration: .init(
      backoff: ExponentialBackoff(base: .seconds(1), maximum: .seconds(30)),
      watchTimeout: .seconds(300)...(.seconds(600)), idleTimeout: .seconds(100)), seed: 7)
  var now: Duration = .seconds(50)

  mutating func send(_ events: InformerMachine.Event...) -> [InformerMachine.Effect] {
    var effects: [InformerMachine.Effect] = []
    for event in events { effects = machine.handle(event, now: now) }
    return effects
  }

  /// Listed at version 10 and watching.
  static var watching: Drive {
    var drive = Drive()
    _ = drive.send(.started, .listed(page(items: [pod("a")], resourceVersion: "10")))
    return drive
  }
}

/// What an effect is, without its random part.
private func word(_ effect: InformerMachine.Effect) -> String {
  switch effect {
  case .update(.replace(let objects)): "replace \(objects.map(\.key.name).joined(separator: ","))"
  case .update(.put(let object)): "put \(object.key.name)"
  case .update(.remove(let object)): "remove \(object.key.name)"
  case .synced: "synced"
  case .list(let token): "list \(token ?? "-")"
  case .startWatch(let version, _, _): "watch \(version)"
  case .stopWatch: "stop"
  case .wait: "wait"
  }
}

@Suite struct InformerMachineTests {
  @Test("a list is taken over only when its last page is there, and the watch starts at its version")
  func pages() {
    var drive = Drive()
    #expect(drive.send(.started).map(word) == ["list -"])
    let first = drive.send(.listed(page(items: [pod("a")], resourceVersion: "10", continueToken: "t")))
    #expect(first.map(word) == ["list t"])
    let last = drive.send(.listed(page(items: [pod("b")], resourceVersion: "10")))
    #expect(last.map(word) == ["replace a,b", "synced", "watch 10"])
    // Not for the second time.
    _ = drive.send(.watchEnded(.expired), .waited)
    let again = drive.send(.listed(page(items: [], resourceVersion: "20")))
    #expect(again.map(word) == ["replace ", "watch 20"])
  }

  @Test(
    "what goes wrong while watching leads to a wait, then to the right next step",
    arguments: [
      (.watchEnded(.passing(retryAfter: nil)), "watch 10"),
      (.watchEnded(.expired), "list -"),
      (.watchEnded(.overflow), "list -"),
      (.watchEnded(.absent), "list -"),
      (.watchEnded(nil), "watch 10"),  // At once: a server that ends every watch must not be hammered.
      (.watched(.error(gone)), "list -"),
      (.watched(.error(KubernetesStatus(code: 500, reason: "", message: "etcd"))), "watch 10"),
      (.watched(.error(KubernetesStatus(code: 404, reason: "NotFound", message: ""))), "list -"),
      (.watched(.error(tooLarge)), "list -"),
      // A server that was restored from a backup is behind what it said before.
      (.watched(.modified(pod("a", 9))), "list -"),
      (.watched(.deleted(pod("a", 9))), "list -"),
      (.watched(.bookmark(resourceVersion: "9")), "list -"),
    ] as [(InformerMachine.Event, String)])
  func failures(event: InformerMachine.Event, next: String) {
    var drive = Drive.watching
    #expect(drive.send(event).map(word).last == "wait")
    #expect(drive.send(.waited).map(word) == [next])
  }

  @Test("events and bookmarks move the version that a dropped watch goes on from")
  func resumes() {
    var drive = Drive.watching
    #expect(drive.send(.watched(.modified(pod("a", 11)))).map(word) == ["put a"])
    #expect(drive.send(.watched(.deleted(pod("a", 12)))).map(word) == ["remove a"])
    #expect(drive.send(.watched(.bookmark(resourceVersion: "40"))).isEmpty)
    #expect(drive.send(.watchEnded(.passing(retryAfter: nil)), .waited).map(word) == ["watch 40"])
  }

  @Test("a watch that ends after its timeout is begun anew without a wait")
  func timeout() {
    var drive = Drive.watching
    drive.now += .seconds(250)
    #expect(drive.send(.watched(.bookmark(resourceVersion: "10"))).isEmpty)
    drive.now += .seconds(50)
    #expect(drive.send(.watchEnded(nil)).map(word) == ["watch 10"])
  }

  @Test("a silent watch counts as half-open after the idle timeout, and not before")
  func halfOpen() {
    var drive = Drive.watching
    drive.now += .seconds(60)
    _ = drive.send(.watched(.bookmark(resourceVersion: "30")))
    drive.now += .seconds(99)
    #expect(drive.send(.tick).isEmpty)
    drive.now += .seconds(1)
    #expect(drive.machine.idleDeadline == drive.now)
    #expect(drive.send(.tick).map(word) == ["stop", "wait"])
    // What the old watch still says is not heard.
    #expect(drive.send(.watched(.added(pod("z")))).isEmpty)
    #expect(drive.send(.waited).map(word) == ["watch 30"])
  }

  @Test("a watch that says nothing at all, not even a bookmark, may be ahead of the server: the list is read again")
  func silent() {
    var drive = Drive.watching
    drive.now += .seconds(100)
    #expect(drive.send(.tick).map(word) == ["stop", "wait"])
    #expect(drive.send(.waited).map(word) == ["list -"])
    drive = .watching
    drive.now += .seconds(100)
    #expect(drive.send(.watchEnded(.passing(retryAfter: nil)), .waited).map(word) == ["list -"])
  }

  @Test("what is known stays while the type is not served, which is asked every few seconds, and said once it is known")
  func absent() {
    var drive = Drive.watching
    _ = drive.send(.watchEnded(.absent))
    for _ in 0..<20 {
      #expect(drive.machine.isAbsent)
      #expect(drive.send(.waited).map(word) == ["list -"])
      guard case .wait(let delay) = drive.send(.listFailed(.absent)).first else { return #expect(Bool(false)) }
      #expect(delay <= .seconds(5))
    }
    _ = drive.send(.waited)
    let back = drive.send(.listed(page(items: [pod("a")], resourceVersion: "3")))
    #expect(back.map(word) == ["replace a", "watch 3"])
    #expect(!drive.machine.isAbsent)
  }

  @Test("a page whose token is over starts the list anew, and what was listed of it is dropped")
  func expiredPage() {
    var drive = Drive()
    _ = drive.send(.started, .listed(page(items: [pod("a")], resourceVersion: "10", continueToken: "t")))
    #expect(drive.send(.listFailed(.expired)).map(word) == ["wait"])
    #expect(drive.send(.waited).map(word) == ["list -"])
    let whole = drive.send(.listed(page(items: [pod("b")], resourceVersion: "12")))
    #expect(whole.map(word) == ["replace b", "synced", "watch 12"])
  }

  @Test("failures in a row wait longer up to the bound, spread, and a word from a watch ends the row")
  func backsOff() {
    var drive = Drive()
    _ = drive.send(.started)
    var waits: [Duration] = []
    for _ in 0..<8 {
      guard case .wait(let delay) = drive.send(.listFailed(.passing(retryAfter: nil))).last else { continue }
      waits.append(delay)
      _ = drive.send(.waited)
    }
    for (index, wait) in waits.enumerated() {
      let full = min(Duration.seconds(30), .seconds(1 << index))
      #expect(wait >= full * 0.5 && wait <= full)
    }
    #expect(waits.count == 8)
    _ = drive.send(.listed(page(items: [], resourceVersion: "10")), .watched(.bookmark(resourceVersion: "11")))
    guard case .wait(let first) = drive.send(.watchEnded(.expired)).last else { return #expect(Bool(false)) }
    #expect(first <= .seconds(1))
  }

  @Test("a server that asks for patience is given at least that")
  func retryAfter() {
    var drive = Drive()
    _ = drive.send(.started)
    #expect(drive.send(.listFailed(.passing(retryAfter: .seconds(20)))) == [.wait(.seconds(20))])
    // A proxy that says "tomorrow" is not obeyed to the letter.
    _ = drive.send(.waited)
    #expect(drive.send(.listFailed(.passing(retryAfter: .seconds(86_400)))) == [.wait(.seconds(120))])
  }

  @Test("the same seed gives the same effects; watches end spread between the bounds")
  func jitter() {
    var timeouts: Set<Duration> = []
    for seed in 0..<20 as Range<UInt64> {
      var one = InformerMachine(seed: seed)
      var two = InformerMachine(seed: seed)
      for event in [.started, .listed(page(items: [], resourceVersion: "1"))] as [InformerMachine.Event] {
        let effects = one.handle(event, now: .zero)
        #expect(effects == two.handle(event, now: .zero))
        if case .startWatch(_, let timeout, _)? = effects.last { timeouts.insert(timeout) }
      }
    }
    #expect(timeouts.count == 20)
    #expect(timeouts.allSatisfy { $0 >= .seconds(300) && $0 <= .seconds(600) })
  }
}
