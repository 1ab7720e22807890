import EventLoop
import HTTPWire
import Synchronization

/// Tells tenants apart: by a header that an ingress in front sets, or else by the key that callers show.
///
/// A name becomes a number that is the same in every gateway and after every start: the ledger adds up what all of them say.
/// It is the beginning of a SHA-256, so that nobody can choose a name that collides with another's, and computed once per
/// name: afterwards a hash that is seeded anew in each process finds it.
final class TenantNames: Sendable {
  /// The header whose value names the tenant, in lower case; nil: the credentials in Authorization do.
  private let header: [UInt8]?
  private let known = Mutex<[Int: UInt64]>([:])
  /// Names remembered; then all are forgotten and computed again.
  private static let mostKnown = 8192

  init(header: String?) { self.header = header.map { Array($0.lowercased().utf8) } }

  /// 0: the caller says nothing of who it is; else odd.
  func tenant(of head: HeadView) -> UInt64 {
    let name = header.map { head.value(named: $0) } ?? head.value(of: .authorization)
    guard let name, !name.isEmpty else { return 0 }
    var hasher = Hasher()
    hasher.combine(bytes: name)
    let place = hasher.finalize()
    if let tenant = known.withLock({ $0[place] }) { return tenant }
    let tenant = Self.number(of: String(decoding: name, as: UTF8.self))
    known.withLock { known in
      if known.count >= Self.mostKnown { known = [:] }
      known[place] = tenant
    }
    return tenant
  }

  /// The first 64 bits of the SHA-256 of the name after a word of ours: no other system's hash of a key is the same.
  static func number(of name: String) -> UInt64 {
    SHA256.digest(of: "pilotlight tenant\0" + name).prefix(8).reduce(0) { $0 << 8 | UInt64($1) } | 1
  }
}
