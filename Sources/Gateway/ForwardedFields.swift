import EventLoop
import HTTPWire

/// The fields of messages on their way through: hop-by-hop ones off, the traces of this hop on.
enum ForwardedFields {
  /// What goes to the replica. `Host` stays the caller's; `Expect` was answered here.
  static func request(_ headers: HTTPHeaders, authority: String?, client: String, scheme: String) -> FieldBlock {
    var fields = FieldBlock()
    fields.appendForwardable(headers) { name, field in
      switch field {
      case .expect: true
      case .host: authority != nil
      default: isReplaced(name)
      }
    }
    let host = authority ?? headers.first(.host)
    if let authority { fields.append("Host", authority) }
    fields.append("X-Forwarded-For", appended(client, to: headers.all("x-forwarded-for")))
    // What an ingress in front of us has said holds: it saw the caller.
    if !headers.contains("x-forwarded-proto") { fields.append("X-Forwarded-Proto", scheme) }
    if let host, !headers.contains("x-forwarded-host") { fields.append("X-Forwarded-Host", host) }
    fields.append("Forwarded", appended(element(client, host, scheme), to: headers.all("forwarded")))
    fields.append("Via", appended("1.1 pilotlight", to: headers.all("via")))
    return fields
  }

  /// What goes back to the caller.
  static func response(_ headers: HTTPHeaders, record: RequestRecord) -> FieldBlock {
    var fields = FieldBlock()
    fields.appendForwardable(headers) { name, _ in isOurs(name) }
    for (name, value) in record.headers { fields.append(name, value) }
    fields.append("Via", "1.1 pilotlight")
    return fields
  }

  /// RFC 7239, 4. An IPv6 address and a host with a port must be quoted.
  private static func element(_ client: String, _ host: String?, _ scheme: String) -> String {
    let node = client.contains(":") ? "\"[\(client)]\"" : client
    // A quote or backslash in a host would end the quoted string.
    guard let host, !host.contains("\""), !host.contains("\\") else { return "for=\(node);proto=\(scheme)" }
    return "for=\(node);host=\"\(host)\";proto=\(scheme)"
  }

  private static func appended(_ value: String, to values: [String]) -> String {
    values.isEmpty ? value : (values + [value]).joined(separator: ", ")
  }

  private static func isReplaced(_ name: UnsafeRawBufferPointer) -> Bool {
    switch name.count {
    case 3: name.equalsIgnoringCase("via".utf8)
    case 9: name.equalsIgnoringCase("forwarded".utf8)
    case 15: name.equalsIgnoringCase("x-forwarded-for".utf8) || isOurs(name)
    default: isOurs(name)
    }
  }

  /// Fields that only this gateway says.
  private static func isOurs(_ name: UnsafeRawBufferPointer) -> Bool {
    let prefix = "pilotlight-".utf8
    guard name.count > prefix.count else { return false }
    return UnsafeRawBufferPointer(rebasing: name[..<prefix.count]).equalsIgnoringCase(prefix)
  }
}
