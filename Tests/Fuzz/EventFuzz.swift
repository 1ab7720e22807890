/// Server-sent events: counted the same however they arrive, and as a plain reading of the standard counts them.
func fuzzEvents(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard let input = FuzzInput(start, count) else { return -1 }
  let expected = plainCount(input.octets)
  for cuts in [[]] + input.arrivals {
    var counter = SSEEventCounter()
    var start = 0
    for end in cuts + [input.octets.count] {
      input.octets[start..<end].withUnsafeBytes { counter.consume($0) }
      start = end
    }
    require(counter.events == expected.events, "\(counter.events) events for \(expected.events)")
    require(counter.isDone == expected.isDone, "[DONE] was \(expected.isDone ? "missed" : "invented")")
  }
  return 0
}

/// WHATWG HTML, 9.2.6, with every line as a value of its own.
private func plainCount(_ octets: [UInt8]) -> (events: Int, isDone: Bool) {
  var events = 0
  var isDone = false
  var hasData = false
  for line in lines(octets) {
    if line.isEmpty {
      if hasData { events += 1 }
      hasData = false
      continue
    }
    let parts = line.split(separator: 0x3a, maxSplits: 1, omittingEmptySubsequences: false)
    guard parts[0].elementsEqual("data".utf8) else { continue }
    var value = parts.count == 2 ? parts[1] : []
    if value.first == 0x20 { value = value.dropFirst() }
    if value.elementsEqual("[DONE]".utf8) { isDone = true } else { hasData = true }
  }
  return (events, isDone)
}

/// The lines that have ended, by LF, CR or both.
private func lines(_ octets: [UInt8]) -> [ArraySlice<UInt8>] {
  var lines: [ArraySlice<UInt8>] = []
  var start = 0
  var index = 0
  while index < octets.count {
    if octets[index] == 10 || octets[index] == 13 {
      lines.append(octets[start..<index])
      if octets[index] == 13, index + 1 < octets.count, octets[index + 1] == 10 { index += 1 }
      start = index + 1
    }
    index += 1
  }
  return lines
}
