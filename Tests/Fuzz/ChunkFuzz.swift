/// Bodies: the same however they arrive, never past their end, and the same again when they are encoded anew.
func fuzzChunk(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard let input = FuzzInput(start, count) else { return -1 }
  let framing = framing(input)
  let whole = decode(framing, input.octets, cuts: [])
  for cuts in input.arrivals {
    require(decode(framing, input.octets, cuts: cuts) == whole, "a body differs when it comes in pieces")
  }
  guard case .body(let body) = whole else { return 0 }
  checkCount(body, framing, input.octets)
  guard body.isComplete else { return 0 }
  var encoded: [UInt8] = []
  body.octets.withUnsafeBytes { ChunkedEncoder.append($0, to: &encoded) }
  ChunkedEncoder.appendEnd(trailers: body.trailers, to: &encoded)
  guard case .body(let again) = decode(.chunked, encoded, cuts: []) else {
    require(false, "a body is refused when it is encoded anew")
    return 0
  }
  require(again.isComplete && again.consumed == encoded.count, "a body does not end where it was made to")
  require(
    again.octets == body.octets && again.trailers == body.trailers, "a body is another one when it is encoded anew")
  return 0
}

/// Chunked, which has most to get wrong, most often.
private func framing(_ input: FuzzInput) -> BodyFraming {
  switch input.choice {
  case 0xff: .untilClose
  case 0xfe: .none
  case 0xf0..<0xfe: .length(Int(input.choice - 0xf0) * 16)
  default: .chunked
  }
}

private struct Body: Equatable {
  var octets: [UInt8] = []
  var trailers: [UInt8] = []
  var consumed = 0
  var isComplete = false
}

private enum Outcome: Equatable {
  case body(Body)
  case refused(WireError)
}

/// Decodes what arrives in pieces that end at `cuts`, each in place.
private func decode(_ framing: BodyFraming, _ octets: [UInt8], cuts: [Int]) -> Outcome {
  var decoder = BodyDecoder(framing, limits: fuzzLimits)
  var body = Body()
  var start = 0
  for end in cuts + [octets.count] where !decoder.isComplete {
    var piece = Array(octets[start..<end])
    do {
      let progress = try piece.withUnsafeMutableBufferPointer { (bytes) throws(WireError) in try decoder.decode(bytes) }
      require(progress.consumed == piece.count || decoder.isComplete, "a decoder stops before the end")
      require(0...progress.consumed ~= progress.body.upperBound, "more body than was consumed")
      require(
        piece[progress.consumed...] == octets[(start + progress.consumed)..<end], "what follows a body was changed")
      body.octets += piece[progress.body]
      body.consumed += progress.consumed
    } catch {
      return .refused(error)
    }
    start = end
  }
  body.trailers = decoder.trailers
  body.isComplete = decoder.isComplete
  return .body(body)
}

private func checkCount(_ body: Body, _ framing: BodyFraming, _ octets: [UInt8]) {
  switch framing {
  case .none: require(body.consumed == 0 && body.isComplete, "a body that is none takes something")
  case .length(let length):
    require(body.octets == Array(octets.prefix(length)), "a body of a known length is something else")
    require(body.consumed == body.octets.count && body.isComplete == (octets.count >= length), "a length was not kept")
  case .untilClose: require(body.octets == octets && !body.isComplete, "a body without end is something else")
  case .chunked:
    // The last chunk and its lines take five octets, each other one at least five besides its data.
    if body.isComplete { require(body.consumed >= body.octets.count + 5, "a body without its framing is complete") }
  }
}
