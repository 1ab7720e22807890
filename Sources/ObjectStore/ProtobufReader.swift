/// A reader of the protobuf wire format (protobuf.dev/programming-guides/encoding): varints and length-delimited fields.
struct ProtobufReader {
  private var bytes: ArraySlice<UInt8>

  enum Value {
    case varint(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// The fields of one message in order; nil when the bytes are no message. Fixed-width fields are skipped.
  static func fields(of bytes: ArraySlice<UInt8>) -> [(number: Int, value: Value)]? {
    var reader = ProtobufReader(bytes)
    var fields: [(number: Int, value: Value)] = []
    while !reader.bytes.isEmpty {
      guard let tag = reader.varint(), let number = Int(exactly: tag >> 3), number > 0 else { return nil }
      switch tag & 7 {
      case 0:
        guard let value = reader.varint() else { return nil }
        fields.append((number, .varint(value)))
      case 1: guard reader.take(8) != nil else { return nil }
      case 2:
        guard let length = reader.varint(), let count = Int(exactly: length), let piece = reader.take(count) else {
          return nil
        }
        fields.append((number, .bytes(piece)))
      case 5: guard reader.take(4) != nil else { return nil }
      default: return nil
      }
    }
    return fields
  }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0 as UInt64, to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }

  private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, count <= bytes.count else { return nil }
    defer { bytes = bytes.dropFirst(count) }
    return bytes.prefix(count)
  }
}
