/// `model` in a JSON body: found where it stands, replaced and nothing else, and never in half a body.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzModel(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard let input = FuzzInput(start, count) else { return -1 }
  let body = input.octets
  guard let field = try? ModelField(scanning: body) else { return 0 }
  checkRanges(field, body)
  checkRewriting(field, body, to: "q\"\\\n\u{1}é😀")
  if let model = field.model { checkRewriting(field, body, to: model) }
  checkEnds(field, body, cuts: input.cuts)
  return 0
}

private func checkRanges(_ field: ModelField, _ body: [UInt8]) {
  require(field.valueRanges.isEmpty == (field.model == nil), "a model without a place, or a place without a model")
  var end = 0
  for range in field.valueRanges {
    require(range.lowerBound >= end && range.count >= 2 && range.upperBound < body.count, "a model stands elsewhere")
    require(
      body[range.lowerBound] == 0x22 && body[range.upperBound - 1] == 0x22, "a model stands outside of its quotes")
    end = range.upperBound
  }
}

private func checkRewriting(_ field: ModelField, _ body: [UInt8], to name: String) {
  let rewritten = field.rewriting(body, to: name)
  guard let again = try? ModelField(scanning: rewritten) else {
    return require(false, "a body is refused after its model was replaced")
  }
  require(again.model == (field.model == nil ? nil : name), "a body has another model than was written into it")
  require(
    again.valueRanges.count == field.valueRanges.count, "a body has more or fewer models after they were replaced")
  require(again.stream == field.stream && again.maxOutputTokens == field.maxOutputTokens, "another member has changed")
  require(outside(again.valueRanges, rewritten) == outside(field.valueRanges, body), "other octets have changed")
}

private func outside(_ ranges: [Range<Int>], _ body: [UInt8]) -> [UInt8] {
  var rest = body
  for range in ranges.reversed() { rest.removeSubrange(range) }
  return rest
}

/// An object ends with its bracket: what ends before that is refused, as is what goes on behind it.
private func checkEnds(_ field: ModelField, _ body: [UInt8], cuts: [Int]) {
  guard let end = body.lastIndex(of: 0x7d) else { return require(false, "a body without a bracket was accepted") }
  for cut in cuts + [end] where cut <= end {
    require((try? ModelField(scanning: Array(body[..<cut]))) == nil, "half a body was accepted")
  }
  require((try? ModelField(scanning: body + [0x7d])) == nil, "a bracket too many was accepted")
  require((try? ModelField(scanning: body + [0x20, 0x0a])) == field, "blanks at the end change what is found")
}
