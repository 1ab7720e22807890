/// What the targets share. They are compiled into one module with the sources of the parsers (`hack/fuzz`).
///
/// An input is a few octets that say how it is used, and what is given to the parser.
struct FuzzInput {
  /// Picks among the ways of using the input.
  let choice: UInt8
  /// Where the input is cut in three, in order.
  let cuts: [Int]
  let octets: [UInt8]

  /// Nil: too short to be one.
  init?(_ start: UnsafePointer<UInt8>, _ count: Int) {
    guard count >= 3 else { return nil }
    let bytes = UnsafeBufferPointer(start: start, count: count)
    choice = bytes[0]
    octets = Array(bytes[3...])
    let length = octets.count
    cuts = bytes[1...2].map { Int($0) * length / 256 }.sorted()
  }

  /// The ways in which the input arrives: in three pieces, and octet by octet where that does not take too long.
  var arrivals: [[Int]] { octets.count > 256 ? [cuts] : [cuts, Array(0..<octets.count)] }
}

/// Ends the run where a property does not hold.
func require(_ holds: Bool, _ property: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line) {
  if !holds { fatalError(property(), file: file, line: line) }
}
