/// Names of time zones, such as `Europe/Berlin`: paths in a folder of compiled zones.
public enum ZoneName {
  /// `^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`: a path that leads nowhere but into the folder.
  public static func isWellFormed(_ name: String) -> Bool {
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isAllowed) }
  }

  /// The names that somebody may have meant who wrote `name`, nearest first: at most three.
  ///
  /// Either as a whole or in its last part (`Germany/Berlin`), a name must be at most two slips away: a letter too many, too
  /// few, another one, or two in the wrong order.
  public static func nearest(to name: String, among names: [String]) -> [String] {
    let wanted = folded(name)
    let rated = names.compactMap { candidate -> (slips: Int, name: String)? in
      let other = folded(candidate)
      let slips = min(self.slips(from: wanted, to: other), self.slips(from: city(wanted), to: city(other)) + 1)
      return slips <= 2 ? (slips, candidate) : nil
    }
    return rated.sorted { ($0.slips, $0.name) < ($1.slips, $1.name) }.prefix(3).map(\.name)
  }

  private static func isAllowed(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  private static func folded(_ name: String) -> ArraySlice<UInt8> { ArraySlice(name.lowercased().utf8) }

  private static func city(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    name.split(separator: UInt8(ascii: "/")).last ?? name
  }

  /// Optimal string alignment distance.
  private static func slips(from left: ArraySlice<UInt8>, to right: ArraySlice<UInt8>) -> Int {
    guard abs(left.count - right.count) <= 2 else { return 3 }
    let (left, right) = (Array(left), Array(right))
    var before: [Int] = []
    var last = Array(0...right.count)
    for (row, letter) in left.enumerated() {
      var line = [row + 1]
      for (column, other) in right.enumerated() {
        var best = min(last[column] + (letter == other ? 0 : 1), last[column + 1] + 1, line[column] + 1)
        if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
          best = min(best, before[column - 1] + 1)
        }
        line.append(best)
      }
      (before, last) = (last, line)
    }
    return last[right.count]
  }
}
