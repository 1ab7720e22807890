/// Whether something may be added to a field value that others have written.
enum DelimitedValue {
  /// Whether every quoted string and every comment of the value ends within it (RFC 9110, 5.6.4 and 5.6.5), for readers
  /// that know both and for those that know only one: in a comment a quote is a plain character, and the other way round.
  static func ends(_ value: UnsafeRawBufferPointer) -> Bool {
    var isQuoted = false
    // Open comments for who knows quoted strings, and for who does not.
    var comments = 0
    var parentheses = 0
    var index = 0
    while index < value.count {
      switch value[index] {
      case UInt8(ascii: "\\"):
        // A quoted pair. Anywhere else a backslash is none of these fields'.
        guard isQuoted || comments > 0, index + 1 < value.count else { return false }
        index += 1
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: "("):
        parentheses += 1
        if !isQuoted { comments += 1 }
      case UInt8(ascii: ")"):
        parentheses -= 1
        if !isQuoted { comments -= 1 }
        guard parentheses >= 0, comments >= 0 else { return false }
      default: break
      }
      index += 1
    }
    return !isQuoted && comments == 0 && parentheses == 0
  }
}
