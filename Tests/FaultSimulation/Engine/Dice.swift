import ControllerRuntime

/// Everything random of one part of a simulation, from the seed.
struct Dice {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// A seed, or other dice, for something new.
  mutating func next() -> UInt64 { generator.next() }

  /// From 0 up to 1.
  mutating func fraction() -> Double { Double.random(in: 0..<1, using: &generator) }

  mutating func chance(_ probability: Double) -> Bool {
    probability > 0 && fraction() < probability
  }

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

  /// In seconds, to the microsecond.
  mutating func duration(_ seconds: ClosedRange<Double>) -> Duration {
    .microseconds(Int(Double.random(in: seconds, using: &generator) * 1_000_000))
  }

  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[int(0...elements.count - 1)] }
}
