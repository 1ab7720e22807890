import FoundationEssentials
import KubernetesAPI

/// Who holds a token, and for whom the token was made.
public struct TokenOwner: Hashable, Sendable {
  public var user: APIUser
  public var audiences: [String]
}

/// Why a token is nobody's, in the API server's words.
public struct TokenRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  public var description: String
}

/// The bearer tokens that are in force, by value: opaque random text, known to the server that gave it out.
///
/// A token is an id, by which it is found, and a secret, which is compared in constant time.
struct BearerTokens: Sendable {
  private struct Entry {
    var secret: [UInt8]
    var owner: TokenOwner
    /// Nil: until the server ends.
    var expires: Date?
    /// The service account's, which must still stand under the same uid.
    var account: ObjectKey?
  }

  /// In hexadecimal digits: 8 bytes.
  private static let idLength = 16
  /// Random bytes of a secret.
  private static let secretBytes = 24
  /// What has expired is forgotten when a new token is given out, so that those in force are all that is kept.
  private var entries: [String: Entry] = [:]

  /// Gives out a token. Not from the store's seed: it must not be guessed.
  mutating func issue(_ owner: TokenOwner, account: ObjectKey, expires: Date, now: Date) -> String {
    entries = entries.filter { $0.value.expires.map { $0 > now } ?? true }
    let id = Self.randomHex(bytes: Self.idLength / 2)
    let secret = Self.randomHex(bytes: Self.secretBytes)
    entries[id] = Entry(secret: Array(secret.utf8), owner: owner, expires: expires, account: account)
    return id + secret
  }

  /// Takes a token that was made elsewhere.
  mutating func admit(_ token: String, _ owner: TokenOwner) {
    let (id, secret) = Self.parts(token)
    entries[id] = Entry(secret: secret, owner: owner)
  }

  /// The owner, and the service account that it must still be.
  func find(_ token: String, now: Date) throws(TokenRefusal) -> (owner: TokenOwner, account: ObjectKey?) {
    let (id, secret) = Self.parts(token)
    guard let entry = entries[id], ConstantTime.equal(secret, entry.secret) else {
      throw TokenRefusal(description: "invalid bearer token")
    }
    if let expires = entry.expires, expires <= now {
      throw TokenRefusal(description: "[invalid bearer token, service account token has expired]")
    }
    return (entry.owner, entry.account)
  }

  private static func parts(_ token: String) -> (id: String, secret: [UInt8]) {
    let bytes = Array(token.utf8)
    return (String(decoding: bytes.prefix(idLength), as: UTF8.self), Array(bytes.dropFirst(idLength)))
  }

  static func randomHex(bytes count: Int) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var random = SystemRandomNumberGenerator()
    let text = (0..<count).flatMap { _ -> [UInt8] in
      let byte = UInt8.random(in: 0...255, using: &random)
      return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// Compares without telling by its time how much of a guess was right.
enum ConstantTime {
  static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    var difference = left.count ^ right.count
    for index in right.indices {
      difference |= Int(right[index] ^ (index < left.count ? left[index] : 0))
    }
    return difference == 0
  }
}
