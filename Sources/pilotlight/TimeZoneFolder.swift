import FoundationEssentials
import Operator
import Synchronization
import TimeZones

/// A folder of compiled time zones, as the package tzdata brings it. Each is read once.
final class TimeZoneFolder: TimeZoneSource {
  static let standard = "/usr/share/zoneinfo"

  private let path: String
  /// As many as there are files at most.
  private let zones = Mutex<[String: Zone]>([:])

  init(path: String) { self.path = path }

  func zone(named name: String) throws(UnknownTimeZone) -> Zone {
    if let zone = zones.withLock({ $0[name] }) { return zone }
    let zone = try read(name)
    zones.withLock { $0[name] = zone }
    return zone
  }

  private func read(_ name: String) throws(UnknownTimeZone) -> Zone {
    guard ZoneName.isWellFormed(name) else {
      throw UnknownTimeZone(name: name, explanation: "it is not of the form of Europe/Berlin")
    }
    guard let octets = try? LocalFile.read("\(path)/\(name)") else {
      throw UnknownTimeZone(name: name, explanation: explanation(of: name))
    }
    do {
      return try Zone(file: octets)
    } catch {
      throw UnknownTimeZone(name: name, explanation: "\(path)/\(name) cannot be used: \(error)")
    }
  }

  private func explanation(of name: String) -> String {
    let names = names
    if names.isEmpty { return "there are none in \(path) (package tzdata)" }
    let nearest = ZoneName.nearest(to: name, among: names)
    return nearest.isEmpty
      ? "use an IANA name such as Europe/Berlin" : "do you mean \(nearest.joined(separator: " or "))?"
  }

  /// Names of zones, without the copies of all of them that count leap seconds or do not.
  private var names: [String] {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
    let folders = Set(paths.map { $0.split(separator: "/").dropLast().joined(separator: "/") })
    return paths.filter { path in
      ZoneName.isWellFormed(path) && path.first?.isUppercase == true && !folders.contains(path)
    }.sorted()
  }
}
