import FoundationEssentials

/// Base64 of RFC 4648, as Secrets and protobuf byte fields have it in JSON.
enum Base64 {
  static func text(_ bytes: some Sequence<UInt8>) -> String { Data(bytes).base64EncodedString() }

  static func isValid(_ text: String) -> Bool { Data(base64Encoded: text) != nil }
}
