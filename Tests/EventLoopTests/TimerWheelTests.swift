import Testing

@testable import EventLoop

@Suite struct TimerWheelTests {
  private func due(_ wheel: inout TimerWheel<Int>, _ now: Duration) -> [Int] {
    var fired: [Int] = []
    while let payload = wheel.advance(to: now) { fired.append(payload) }
    return fired
  }

  @Test(
    "a timer fires at its deadline, not before",
    arguments: [0, 1, 63, 64, 65, 4095, 4096, 4097, 75_000, 262_144, 16_777_216, 1_073_741_824, 10_000_000_000])
  func deadlines(milliseconds: Int64) {
    for start: Int64 in [0, 1, 63, 1000, 123_456_789] {
      var wheel = TimerWheel<Int>()
      _ = due(&wheel, .milliseconds(start))
      _ = wheel.arm(at: .milliseconds(start + milliseconds), 1)
      if milliseconds > 0 { #expect(due(&wheel, .milliseconds(start + milliseconds - 1)) == []) }
      #expect(due(&wheel, .milliseconds(start + milliseconds)) == [1])
      #expect(wheel.count == 0 && wheel.nextDeadline == nil)
    }
  }

  @Test("a part of a millisecond is rounded up, the past fires next, and far beyond a year fires after a year")
  func edges() {
    var wheel = TimerWheel<Int>()
    _ = due(&wheel, .seconds(10))
    _ = wheel.arm(at: .seconds(10) + .microseconds(1), 1)
    _ = wheel.arm(at: .seconds(1), 2)
    #expect(due(&wheel, .seconds(10)) == [2])
    #expect(due(&wheel, .seconds(10) + .milliseconds(1)) == [1])
    _ = wheel.arm(at: .seconds(Int64.max), 3)
    #expect(due(&wheel, .seconds(300 * 86_400)) == [])
    #expect(due(&wheel, .seconds(400 * 86_400)) == [3])
  }

  @Test("a cancelled timer never fires, and its name is no other timer's")
  func cancelling() {
    var wheel = TimerWheel<Int>()
    let first = wheel.arm(at: .seconds(1), 1)
    let second = wheel.arm(at: .seconds(1), 2)
    let third = wheel.arm(at: .seconds(1), 3)
    #expect(wheel.cancel(second) == 2)
    #expect(wheel.cancel(second) == nil)
    let fourth = wheel.arm(at: .seconds(2), 4)
    #expect(fourth != second)
    #expect(wheel.cancel(second) == nil)
    #expect(Set(due(&wheel, .seconds(5))) == [1, 3, 4])
    for timer in [first, third, fourth] { #expect(wheel.cancel(timer) == nil) }
  }

  @Test("random timers fire in the order of their deadlines, as a sorted list would")
  func randomised() {
    var random = SplitMix(state: 42)
    var wheel = TimerWheel<Int>()
    var model: [Int: Int64] = [:]
    var names: [Int: TimerID] = [:]
    var now: Int64 = 0
    for index in 0..<5000 {
      let deadline = now + Int64(random.next() % (1 << (random.next() % 30)))
      model[index] = deadline
      names[index] = wheel.arm(at: .milliseconds(deadline), index)
      if random.next() % 3 == 0, let victim = model.keys.min(), let name = names[victim] {
        #expect(wheel.cancel(name) == victim)
        model[victim] = nil
      }
      if random.next() % 4 == 0 {
        now += Int64(random.next() % 50_000)
        let expected = model.filter { $0.value <= now }
        let fired = due(&wheel, .milliseconds(now))
        #expect(Set(fired) == Set(expected.keys))
        let deadlines = fired.map { model[$0] ?? -1 }
        #expect(deadlines == deadlines.sorted())
        for index in fired { model[index] = nil }
      }
      if let next = wheel.nextDeadline, let least = model.values.min() { #expect(next <= .milliseconds(least)) }
      #expect(wheel.count == model.count)
    }
  }
}

/// A generator that gives the same numbers on every run (Steele, Lea, Flood 2014).
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// The tests think in durations.
extension TimerWheel {
  fileprivate mutating func arm(at deadline: Duration, _ payload: Payload) -> TimerID {
    arm(atNanoseconds: deadline.inNanoseconds, payload)
  }

  fileprivate mutating func advance(to now: Duration) -> Payload? { advance(toNanoseconds: now.inNanoseconds) }

  fileprivate var nextDeadline: Duration? { nextTick.map { .milliseconds($0) } }
}
