/// Time zones: whatever a file says, every instant has an offset, and every local time a first and a last instant that bound it.
func fuzzZones(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard let input = FuzzInput(start, count) else { return -1 }
  guard let zone = try? Zone(file: input.octets) else { return 0 }
  for moment in moments(input) {
    require(Zone.offsets.contains(zone.offset(at: moment)), "\(zone.offset(at: moment)) s at \(moment)")
    let (first, last) = (zone.firstInstant(showing: moment), zone.lastInstant(showing: moment))
    require(first <= last, "\(moment): first \(first), last \(last)")
    require(zone.reading(at: first) >= moment, "\(moment) is not reached at \(first)")
    require(zone.reading(at: first - 1) < moment, "\(moment) is reached before \(first)")
    require(zone.reading(at: last) >= moment, "\(moment) is not passed at \(last)")
    require(zone.reading(at: last + 1) > moment, "\(moment) is shown after \(last)")
    require(
      zone.reading(at: last) == moment || zone.reading(at: last - 1) < moment, "\(moment) is passed before \(last)")
  }
  return 0
}

/// Around the numbers that the file may have as its times, and by the input's first octets anywhere within its bounds.
private func moments(_ input: FuzzInput) -> [Int] {
  var moments: [Int] = [0, Int(input.choice) << 50, -Int(input.choice) << 50]
  for start in stride(from: 0, to: min(input.octets.count, 512) - 8, by: 4) {
    let value = input.octets[start..<start + 8].reduce(0) { $0 << 8 | Int($1) }
    // Far from the limits, beyond which instants are not told apart.
    let moment = value % (1 << 58)
    moments += [moment, moment + Int(input.choice) * 900 - 115_200]
  }
  return moments
}
