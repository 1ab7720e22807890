/// How a reconciliation of one key ended.
public enum Outcome: Hashable, Sendable {
  /// Nothing to do until something changes.
  case done
  /// Look again then, even if nothing changes.
  case again(after: Duration)
  /// Somebody else wrote first: try again with back-off, which is no news unless it goes on.
  case conflicted
  /// It failed: try again with back-off.
  case retry(reason: String)
}
