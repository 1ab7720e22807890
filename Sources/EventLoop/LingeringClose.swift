/// How a connection is closed on a peer that may still be sending (RFC 9112, 9.6): the sending half ends first, then what
/// comes is read and dropped for a while. Closing on unread bytes resets the connection, which can destroy the answer on its
/// way, so that the peer never learns why it was cut off.
public enum LingeringClose {
  /// Longest time without a byte, nginx's `lingering_timeout`.
  public static let silence: Duration = .seconds(5)
  /// Longest time in all, nginx's `lingering_time`.
  public static let longest: Duration = .seconds(30)
  /// The same for a peer that sent no request at all.
  public static let shortest: Duration = .seconds(2)
}
