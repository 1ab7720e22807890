import FoundationEssentials
import KubernetesAPI

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
enum RetryAfter {
  /// Whole seconds to wait, rounded up; nil when the field is absent or makes no sense.
  ///
  /// A date is taken against the `Date` of the same answer, so that a server whose clock differs from ours is not waited for too
  /// long or not at all; without one it says nothing.
  static func seconds(in response: KubernetesResponse) -> Int? {
    guard let value = response.header("retry-after") else { return nil }
    if let seconds = Int(value) { return seconds < 0 ? nil : seconds }
    guard let then = date(value), let now = response.header("date").flatMap(date) else { return nil }
    return max(0, Int((then.timeIntervalSince1970 - now.timeIntervalSince1970).rounded(.up)))
  }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// An IMF-fixdate (RFC 9110, 5.6.7), which is what servers send: `Sun, 06 Nov 1994 08:49:37 GMT`.
  private static func date(_ text: String) -> Date? {
    let words = text.split(separator: " ")
    guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: String(words[2])) else { return nil }
    let number = month + 1
    return Timestamp.parse("\(words[3])-\(number < 10 ? "0" : "")\(number)-\(words[1])T\(words[4])Z")
  }
}
