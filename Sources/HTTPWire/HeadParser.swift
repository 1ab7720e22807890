/// What `RequestHeadParser` and `ResponseHeadParser` have in common.
public protocol HeadParser {
  associatedtype Head

  /// Parses `octets`, everything received since the head's first byte: call again with more until it answers.
  ///
  /// - Returns: the head and its length in bytes, where the body or the next message starts; nil: not all there yet.
  mutating func parse(_ octets: Span<UInt8>) throws(WireError) -> (head: Head, length: Int)?
}

extension RequestHeadParser: HeadParser {}
extension ResponseHeadParser: HeadParser {}
