@testable import TimeZones

/// Writes compiled zones as RFC 9636 describes them.
struct ZoneFileWriter {
  var version: Character = "2"
  var transitions: [(time: Int, type: Int)] = []
  /// Seconds ahead of UTC.
  var types = [0]
  var leapSeconds = 0
  var footer = ""

  var octets: [UInt8] {
    if version == "1" { return block(timeSize: 4) }
    let first = ZoneFileWriter(version: version, types: [0]).block(timeSize: 4)
    return first + block(timeSize: 8) + Array("\n\(footer)\n".utf8)
  }

  private func block(timeSize: Int) -> [UInt8] {
    var octets = Array("TZif".utf8)
    octets.append(version == "1" ? 0 : version.asciiValue ?? 0)
    octets += [UInt8](repeating: 0, count: 15)
    for count in [0, 0, leapSeconds, transitions.count, types.count, 4] { octets += number(count, 4) }
    for transition in transitions { octets += number(transition.time, timeSize) }
    octets += transitions.map { UInt8($0.type) }
    for type in types { octets += number(type, 4) + [0, 0] }
    octets += Array("LMT\0".utf8)
    octets += [UInt8](repeating: 0, count: leapSeconds * (timeSize + 4))
    return octets
  }

  private func number(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }
}

extension Zone {
  /// A zone that has followed a rule for ever.
  init(rule: String) throws {
    var writer = ZoneFileWriter()
    writer.footer = rule
    try self.init(file: writer.octets)
  }

  static let berlin = "CET-1CEST,M3.5.0,M10.5.0/3"
  static let newYork = "EST5EDT,M3.2.0,M11.1.0"
  static let lordHowe = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
  static let nuuk = "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"

  /// Samoa left out Friday, the 30th of December 2011, when it moved across the date line.
  static func apia() throws -> Zone {
    var writer = ZoneFileWriter()
    writer.types = [-10 * 3600, 14 * 3600]
    writer.transitions = [(1_325_239_200, 1)]
    writer.footer = "<+14>-14"
    return try Zone(file: writer.octets)
  }

  /// Morocco's summer of 2026: an hour back for Ramadan, from the 15th of February to the 22nd of March.
  static func casablanca() throws -> Zone {
    var writer = ZoneFileWriter()
    writer.types = [3600, 0]
    writer.transitions = [(1_771_120_800, 1), (1_774_144_800, 0)]
    writer.footer = "<+01>-1"
    return try Zone(file: writer.octets)
  }
}

/// Seconds from 1970 to a date and time, on whichever clock.
func seconds(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0) -> Int {
  CivilDay.number(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
}
