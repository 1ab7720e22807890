/// Rows as JSON text, written by hand: a gateway may write one per request, without an encoder in between.
extension RequestLogRow {
  /// Appends the row as one JSON object and a line feed. Times have microseconds; what is absent is left out.
  public func appendLine(to output: inout [UInt8]) {
    output.append(UInt8(ascii: "{"))
    appendMembers(to: &output)
    output.append(UInt8(ascii: "}"))
    output.append(UInt8(ascii: "\n"))
  }

  /// Appends the members of the row's object, without its braces, so that others may stand beside them.
  public func appendMembers(to output: inout [UInt8]) {
    output.append("\"version\":")
    output.append(decimal: version)
    output.append(",\"timeUnix\":")
    output.append(fixedPoint: timeUnix, fractionDigits: 6)
    output.appendMember(",\"namespace\":", namespace.isEmpty ? nil : namespace)
    output.appendMember(",\"name\":", name.isEmpty ? nil : name)
    output.appendMember(",\"protocol\":", modelProtocol)
    output.appendMember(",\"method\":", method)
    output.append(",\"status\":")
    output.append(decimal: status)
    output.appendMember(",\"pool\":", pool)
    output.appendMember(",\"replica\":", replica)
    output.appendMember(",\"reason\":", reason)
    output.append(",\"retries\":")
    output.append(decimal: retries)
    appendTimes(to: &output)
    output.append(coldStart ? ",\"coldStart\":true" : ",\"coldStart\":false")
    output.appendMember(",\"promptTokens\":", promptTokens)
    output.appendMember(",\"outputTokens\":", outputTokens)
    if tokensEstimated { output.append(",\"tokensEstimated\":true") }
    output.append(",\"requestBytes\":")
    output.append(decimal: requestBytes)
    output.append(",\"responseBytes\":")
    output.append(decimal: responseBytes)
    output.appendMember(",\"tenant\":", tenant)
    output.appendMember(",\"traceID\":", traceID)
    output.append(",\"weight\":")
    output.append(decimal: weight)
  }

  private func appendTimes(to output: inout [UInt8]) {
    output.append(",\"queuedMilliseconds\":")
    output.append(fixedPoint: queuedMilliseconds, fractionDigits: 3)
    if let firstByteMilliseconds {
      output.append(",\"firstByteMilliseconds\":")
      output.append(fixedPoint: firstByteMilliseconds, fractionDigits: 3)
    }
    if let firstTokenMilliseconds {
      output.append(",\"firstTokenMilliseconds\":")
      output.append(fixedPoint: firstTokenMilliseconds, fractionDigits: 3)
    }
    output.append(",\"durationMilliseconds\":")
    output.append(fixedPoint: durationMilliseconds, fractionDigits: 3)
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ text: StaticString) {
    append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  fileprivate mutating func appendMember(_ name: StaticString, _ text: String?) {
    guard let text else { return }
    append(name)
    append(quoted: text)
  }

  fileprivate mutating func appendMember(_ name: StaticString, _ number: Int?) {
    guard let number else { return }
    append(name)
    append(decimal: number)
  }

  /// A string literal (RFC 8259, 7).
  private mutating func append(quoted text: String) {
    append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { octets in
      if octets.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
        append(escaping: octets)
      } else {
        append(contentsOf: octets)
      }
    }
    append(UInt8(ascii: "\""))
  }

  private mutating func append(escaping octets: UnsafeBufferPointer<UInt8>) {
    for octet in octets {
      switch octet {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        append(UInt8(ascii: "\\"))
        append(octet)
      case 0..<0x20:
        append("\\u00")
        append(UInt8(ascii: "0") &+ octet >> 4)
        append(octet & 15 < 10 ? UInt8(ascii: "0") &+ octet & 15 : UInt8(ascii: "a") &+ octet & 15 &- 10)
      default: append(octet)
      }
    }
  }

  fileprivate mutating func append(decimal number: Int) {
    if number < 0 { append(UInt8(ascii: "-")) }
    append(digitsOf: number.magnitude, atLeast: 1)
  }

  private mutating func append(digitsOf number: UInt, atLeast width: Int) {
    guard number > 9 || width > 1 else { return append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number)) }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var rest = number
      var first = 20
      while rest > 0 || first > 20 - width {
        first -= 1
        digits.initializeElement(at: first, to: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10))
        rest /= 10
      }
      append(contentsOf: UnsafeBufferPointer(rebasing: digits[first...]))
    }
  }

  /// A number with so many digits of fraction, rounded; trailing zeros are left out. What JSON cannot say is 0.
  fileprivate mutating func append(fixedPoint number: Double, fractionDigits: Int) {
    let scale: UInt = fractionDigits == 3 ? 1000 : 1_000_000
    let scaled = (number.magnitude * Double(scale)).rounded()
    guard let units = UInt(exactly: scaled) else { return append(UInt8(ascii: "0")) }
    if number < 0, units > 0 { append(UInt8(ascii: "-")) }
    append(digitsOf: units / scale, atLeast: 1)
    var fraction = units % scale
    guard fraction > 0 else { return }
    var width = fractionDigits
    while fraction.isMultiple(of: 10) {
      fraction /= 10
      width -= 1
    }
    append(UInt8(ascii: "."))
    append(digitsOf: fraction, atLeast: width)
  }
}
