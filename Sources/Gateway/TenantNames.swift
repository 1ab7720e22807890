import HTTPWire

/// Tells tenants apart: by a header that an ingress in front sets, or else by the key that callers show.
///
/// A name becomes a number by a hash that is seeded anew in each process, so that nobody can choose names that collide.
struct TenantNames: Sendable {
  /// The header whose value names the tenant, in lower case; nil: the credentials in Authorization do.
  private let header: [UInt8]?

  init(header: String?) { self.header = header.map { Array($0.lowercased().utf8) } }

  /// 0: the caller says nothing of who it is.
  func tenant(of head: HeadView) -> UInt64 {
    let name = header.map { head.value(named: $0) } ?? head.value(of: .authorization)
    guard let name, !name.isEmpty else { return 0 }
    var hasher = Hasher()
    hasher.combine(bytes: name)
    return UInt64(bitPattern: Int64(hasher.finalize())) | 1
  }
}
