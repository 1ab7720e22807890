/// The cells of one CSV line, left to right (RFC 4180, without line feeds and quotes inside quotes).
struct CSVCells {
  /// More columns than any trace has; later ones are ignored in a header.
  static let mostColumns = 64

  private let line: LineBytes
  private var position = 0

  @inline(__always)
  init(_ line: LineBytes) { self.line = line }

  /// The next cell without blanks and quotes round it; nil: there are no more.
  @inline(__always)
  mutating func next() throws(RowProblem) -> LineBytes? {
    guard position <= line.count else { return nil }
    var end = position
    while end < line.count, line[end] != UInt8(ascii: ",") {
      if line[end] == UInt8(ascii: "\"") { return try quoted() }
      end += 1
    }
    let cell = line.part(position, end)
    position = end + 1
    return cell.trimmed
  }

  private mutating func quoted() throws(RowProblem) -> LineBytes {
    let quote = UInt8(ascii: "\"")
    var first = position
    while first < line.count, line[first].isLineSpace { first += 1 }
    var last = first + 1
    while last < line.count, line[last] != quote { last += 1 }
    var end = last + 1
    while end < line.count, line[end].isLineSpace { end += 1 }
    guard line[first] == quote, last < line.count, end >= line.count || line[end] == UInt8(ascii: ",") else {
      throw RowProblem(
        "a quote stands within a cell; a cell is quoted from its first to its last character or not at all")
    }
    position = end + 1
    return line.part(first + 1, last)
  }
}

/// The columns of a CSV that a reader wants, in the order in which they stand.
struct CSVColumns: Hashable {
  /// For each column of the file, which of the wanted ones it is; nil: none.
  private(set) var wanted: [Int8] = []

  /// - Parameters:
  ///   - names: of the columns that count; a column's index among them is its number.
  ///   - required: which of `names` must be there.
  init(header: LineBytes, names: [StaticString], required: Range<Int>) throws(RowProblem) {
    var cells = CSVCells(header)
    while wanted.count < CSVCells.mostColumns, let cell = try cells.next() {
      var number = -1
      for (index, name) in names.enumerated() where cell.equals(name) { number = index }
      if number >= 0, wanted.contains(Int8(number)) { throw RowProblem("the column \(names[number]) is there twice") }
      wanted.append(Int8(number))
    }
    for index in required where !wanted.contains(Int8(index)) {
      let line = names[required].map(\.description).joined(separator: ",")
      throw RowProblem("the header '\(header.excerpt)' has no column \(names[index]); it must have \(line)")
    }
    while let last = wanted.last, last < 0 { wanted.removeLast() }
  }

  /// Gives each wanted cell to `body`, with its number.
  /// - Returns: a bit for each number that was met.
  @inline(__always)
  func read(_ line: LineBytes, _ body: (Int, LineBytes) throws(RowProblem) -> Void) throws(RowProblem) -> UInt {
    var cells = CSVCells(line)
    var met: UInt = 0
    for number in wanted {
      guard let cell = try cells.next() else { break }
      if number < 0 { continue }
      met |= 1 << UInt(number)
      try body(Int(number), cell)
    }
    return met
  }
}
