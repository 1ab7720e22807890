import HTTPWire

/// A request's head where it was received: valid until the next receive.
struct HeadView {
  let layout: RequestHeadLayout
  /// From the first byte of the start line to the end of the empty line.
  let bytes: UnsafeRawBufferPointer

  var method: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[layout.method]) }
  var target: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[layout.target]) }
  /// The value of Host; empty when there is none.
  var host: UnsafeRawBufferPointer { value(of: .host) ?? UnsafeRawBufferPointer(start: nil, count: 0) }

  func isMethod(_ name: StaticString) -> Bool {
    let range = layout.method
    guard range.count == name.utf8CodeUnitCount else { return false }
    return name.withUTF8Buffer { expected in
      for index in 0..<expected.count where bytes[range.lowerBound + index] != expected[index] { return false }
      return true
    }
  }

  var knownMethod: Call.Method {
    if isMethod("POST") { return .post }
    if isMethod("GET") { return .get }
    return Call.Method(rawValue: String(decoding: method, as: UTF8.self)) ?? .other
  }

  func has(_ field: KnownField) -> Bool { layout.lines.contains { $0.field == field } }

  /// The value of the first line of a field.
  func value(of field: KnownField) -> UnsafeRawBufferPointer? {
    for line in layout.lines where line.field == field { return UnsafeRawBufferPointer(rebasing: bytes[line.value]) }
    return nil
  }

  /// The values of all lines of a field.
  func texts(of field: KnownField) -> [String] {
    layout.lines.filter { $0.field == field }.map { String(decoding: bytes[$0.value], as: UTF8.self) }
  }

  /// The value of the first line of a field that is no known one; `name` is in lower case.
  func value(named name: [UInt8]) -> UnsafeRawBufferPointer? {
    for line in layout.lines where line.name.count == name.count {
      guard UnsafeRawBufferPointer(rebasing: bytes[line.name]).equalsIgnoringCase(name) else { continue }
      return UnsafeRawBufferPointer(rebasing: bytes[line.value])
    }
    return nil
  }

  /// Whether Accept names a media type, given in lower case.
  func accepts(_ type: String) -> Bool {
    guard let value = value(named: Array("accept".utf8)) else { return false }
    return String(decoding: value, as: UTF8.self).lowercased().split(separator: ",").contains {
      $0.split(separator: ";").first?.drop(while: { $0 == " " }).starts(with: type) ?? false
    }
  }

  /// The authority of an absolute-form target; nil in any other form.
  var absoluteAuthority: String? { RequestTarget.authority(of: String(decoding: target, as: UTF8.self)) }
}
