/// `model` in a JSON body: found where it stands, replaced and nothing else, and never in half a body.
func fuzzModel(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard let input = FuzzInput(start, count) else { return -1 }
  let body = input.octets
  guard let field = try? ModelField(scanning: body) else { return 0 }
  checkRange(field, body)
  checkTwice(field, body)
  checkRewriting(field, body, to: "q\"\\\n\u{1}é😀")
  if let model = field.model { checkRewriting(field, body, to: model) }
  checkEnds(field, body, cuts: input.cuts)
  return 0
}

private func checkRange(_ field: ModelField, _ body: [UInt8]) {
  require((field.valueRange == nil) == (field.model == nil), "a model without a place, or a place without a model")
  guard let range = field.valueRange else { return }
  require(range.count >= 2 && range.upperBound < body.count, "a model stands elsewhere")
  require(
    body[range.lowerBound] == 0x22 && body[range.upperBound - 1] == 0x22, "a model stands outside of its quotes")
}

private func checkRewriting(_ field: ModelField, _ body: [UInt8], to name: String) {
  let rewritten = field.rewriting(body, to: name)
  guard let again = try? ModelField(scanning: rewritten) else {
    return require(false, "a body is refused after its model was replaced")
  }
  require(again.model == (field.model == nil ? nil : name), "a body has another model than was written into it")
  require(again.stream == field.stream && again.maxOutputTokens == field.maxOutputTokens, "another member has changed")
  require(outside(again.valueRange, rewritten) == outside(field.valueRange, body), "other octets have changed")
}

private func outside(_ range: Range<Int>?, _ body: [UInt8]) -> [UInt8] {
  var rest = body
  if let range { rest.removeSubrange(range) }
  return rest
}

/// A second member that a reader could take for `model` is never accepted, whatever stands around it.
private func checkTwice(_ field: ModelField, _ body: [UInt8]) {
  guard field.model != nil, let end = body.lastIndex(of: 0x7d) else { return }
  for name in ["model", "MODEL", "mod\\u0065l", "\\u004dodel"] {
    let twice = Array(body[..<end]) + Array(",\"\(name)\":\"x\"".utf8) + body[end...]
    require((try? ModelField(scanning: twice)) == nil, "a body of two models was accepted")
  }
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
