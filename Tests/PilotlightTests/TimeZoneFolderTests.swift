import FoundationEssentials
import Operator
import Testing
import TimeZones

@testable import pilotlight

@Suite struct TimeZoneFolderTests {
  /// A folder with one zone, one file that is none, and the copies that every such folder has.
  static func withFolder(_ body: (TimeZoneFolder) throws -> Void) throws {
    let files = FileManager.default
    let path = "\(files.temporaryDirectory.path)/zones-\(UInt64.random(in: 0 ... .max))"
    defer { try? files.removeItem(atPath: path) }
    let zone =
      Array("TZif".utf8) + [UInt8](repeating: 0, count: 16)
      + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4] + [0, 0, 0x0e, 0x10, 0, 0]
      + Array("+01\0".utf8)
    for folder in ["Europe", "posix/Europe"] {
      try files.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
      try Data(zone).write(to: URL(filePath: "\(path)/\(folder)/Berlin"))
    }
    try Data("tz".utf8).write(to: URL(filePath: "\(path)/Broken"))
    try Data(zone).write(to: URL(filePath: "\(path)/zone.tab"))
    try body(TimeZoneFolder(path: path))
  }

  @Test("A zone is read from its file")
  func reads() throws {
    try Self.withFolder { folder in
      let zone = try folder.zone(named: "Europe/Berlin")
      #expect(zone.offset(at: 0) == 3600)
    }
  }

  @Test(
    "What cannot be had is refused with what may be meant",
    arguments: [
      ("Europe/Berln", "do you mean Europe/Berlin?"), ("Mars/Phobos", "use an IANA name such as Europe/Berlin"),
      ("Europe", "use an IANA name such as Europe/Berlin"),
      ("../../etc/passwd", "it is not of the form of Europe/Berlin"),
      ("Broken", "cannot be used: it ends at octet 2, in the middle of what it announced"),
    ])
  func refuses(name: String, words: String) throws {
    try Self.withFolder { folder in
      let error = #expect(throws: UnknownTimeZone.self) { try folder.zone(named: name) }
      #expect(error?.description.hasPrefix("\"\(name)\" is not a time zone known here: ") == true)
      #expect(error?.description.hasSuffix(words) == true, "\(error?.description ?? "")")
    }
  }

  @Test("A host without time zones says so")
  func noneInstalled() {
    let error = #expect(throws: UnknownTimeZone.self) {
      try TimeZoneFolder(path: "/nowhere").zone(named: "Europe/Berlin")
    }
    #expect(error?.explanation == "there are none in /nowhere (package tzdata)")
  }
}
