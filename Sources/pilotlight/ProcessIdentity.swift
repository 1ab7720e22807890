import Glibc

/// The name of this process among its kin.
enum ProcessIdentity {
  /// `POD_NAME`, which is unique in its namespace; elsewhere the host's name and the process id.
  static var current: String {
    if let name = variable("POD_NAME") { return name }
    var buffer = [CChar](repeating: 0, count: 256)
    gethostname(&buffer, buffer.count - 1)
    let host = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(host)-\(getpid())"
  }

  /// `POD_UID`; nil outside of a pod that tells it.
  static var podUID: String? { variable("POD_UID") }

  private static func variable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}
