/// Finds the service of the requests that are most frequent, on the bytes of the head: no String is made.
///
/// It answers only where ``RouteResolver`` would answer the same, and leaves everything else to it: dot and empty
/// segments, escapes, absolute-form targets, names in KServe paths, lists of models, and whatever is not found.
enum FastRoute: Equatable {
  /// To a service; the target upstream is the received one from this offset on.
  case service(Int, targetStart: Int)
  /// To the service that `model` in the JSON body names; the target stays as it is.
  case modelInBody

  /// - Parameters:
  ///   - target: as received.
  ///   - host: the value of Host, as received.
  static func resolve(
    isPost: Bool, target: UnsafeRawBufferPointer, host: UnsafeRawBufferPointer, names: NameTable
  ) -> FastRoute? {
    guard !target.isEmpty, target[0] == slash else { return nil }
    var end = target.count
    for index in 0..<target.count {
      let octet = target[index]
      if octet == UInt8(ascii: "?") {
        end = index
        break
      }
      if octet == UInt8(ascii: "%") || octet == UInt8(ascii: "\\") { return nil }
      // A dot segment, or an empty one.
      if octet == UInt8(ascii: ".") || octet == slash, index > 0, target[index - 1] == slash { return nil }
    }
    let path = UnsafeRawBufferPointer(rebasing: target[..<end])
    let name = hostName(host)
    guard name.isEmpty || name[name.count - 1] != UInt8(ascii: ".") else { return nil }
    if let service = names.hosts.find(name) {
      return isPost || !starts(path, "/v1/models") ? .service(service, targetStart: 0) : nil
    }
    // A host within our domain that names no service gets its own error.
    if names.isWithinDomain(name) { return nil }
    if starts(path, "/v1/") || starts(path, "/v2/") {
      return isPost && !starts(path, "/v1/models/") && !starts(path, "/v2/models/") ? .modelInBody : nil
    }
    return byPath(path, isPost: isPost, names: names)
  }

  private static func byPath(_ path: UnsafeRawBufferPointer, isPost: Bool, names: NameTable) -> FastRoute? {
    guard let first = path.dropFirst().firstIndex(of: slash) else { return nil }
    // The root of a service, which has no path of its own left, is for the other resolver.
    guard let second = path.dropFirst(first + 1).firstIndex(of: slash) else { return nil }
    let key = UnsafeRawBufferPointer(rebasing: path[1..<second])
    guard let service = names.keys.find(key), !hasUpperCase(key) else { return nil }
    let rest = UnsafeRawBufferPointer(rebasing: path[second...])
    return isPost || !starts(rest, "/v1/models") ? .service(service, targetStart: second) : nil
  }

  /// Without its port. An IPv6 address names no service.
  private static func hostName(_ host: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: host[..<(host.firstIndex(of: UInt8(ascii: ":")) ?? host.count)])
  }

  private static let slash = UInt8(ascii: "/")

  private static func hasUpperCase(_ name: UnsafeRawBufferPointer) -> Bool {
    name.contains { $0 >= 0x41 && $0 <= 0x5a }
  }

  private static func starts(_ path: UnsafeRawBufferPointer, _ prefix: StaticString) -> Bool {
    let count = prefix.utf8CodeUnitCount
    guard path.count >= count else { return false }
    return prefix.withUTF8Buffer { expected in
      for index in 0..<count where path[index] != expected[index] { return false }
      return true
    }
  }
}
