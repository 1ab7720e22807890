/// Percent-encoding of URLs (RFC 3986) and of forms, where `+` is a space.
enum PercentCoding {
  static func decoded(_ text: Substring, plusIsSpace: Bool) -> String {
    let bytes = Array(text.utf8)
    guard bytes.contains(UInt8(ascii: "%")) || (plusIsSpace && bytes.contains(UInt8(ascii: "+"))) else {
      return String(text)
    }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "%"), index + 2 < bytes.count, let high = nibble(bytes[index + 1]),
        let low = nibble(bytes[index + 2])
      {
        result.append(high << 4 | low)
        index += 3
      } else {
        result.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  static func query(_ text: Substring) -> [(name: String, value: String)] {
    text.split(separator: "&").map { pair in
      let mark = pair.firstIndex(of: "=") ?? pair.endIndex
      let value = mark == pair.endIndex ? "" : pair[pair.index(after: mark)...]
      return (decoded(pair[..<mark], plusIsSpace: true), decoded(value, plusIsSpace: true))
    }
  }

  private static func nibble(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
