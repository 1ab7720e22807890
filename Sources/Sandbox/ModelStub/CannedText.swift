/// The words of a model that has none of its own: the same prompt gives the same answer.
struct CannedText {
  private static let words = [
    "the", "model", "sleeps", "until", "somebody", "asks", "and", "then", "it", "wakes", "to", "answer", "with", "a",
    "small",
    "light", "that", "is", "always", "on",
  ]
  private var random: DeterministicRandom
  private var isFirst = true

  init(prompt: String) { random = DeterministicRandom(seed: DeterministicRandom.seed(of: prompt)) }

  /// The next token, with the space before it.
  mutating func next() -> String {
    let word = Self.words[Int(random.next() % UInt64(Self.words.count))]
    defer { isFirst = false }
    return isFirst ? word.prefix(1).uppercased() + word.dropFirst() : " " + word
  }
}
