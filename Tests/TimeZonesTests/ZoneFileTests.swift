import Testing

@testable import TimeZones

@Suite struct ZoneFileTests {
  @Test("Transitions hold until the next one, the first type before all of them, the footer after", arguments: "1234")
  func transitions(version: Character) throws {
    var writer = ZoneFileWriter(version: version)
    writer.types = [-100, 3600, 7200]
    writer.transitions = [(-1000, 1), (2000, 2), (3000, 1)]
    writer.footer = "<+01>-1"
    let zone = try Zone(file: writer.octets)
    #expect(zone.offset(at: .min) == -100 && zone.offset(at: -1001) == -100)
    #expect(zone.offset(at: -1000) == 3600 && zone.offset(at: 1999) == 3600)
    #expect(zone.offset(at: 2000) == 7200 && zone.offset(at: 2999) == 7200)
    #expect(zone.offset(at: 3000) == 3600 && zone.offset(at: .max) == 3600)
  }

  @Test("The last offset stays where there is no footer; without transitions the footer is all there is")
  func footers() throws {
    var writer = ZoneFileWriter()
    writer.types = [0, 3600]
    writer.transitions = [(0, 1)]
    #expect(try Zone(file: writer.octets).offset(at: 1 << 40) == 3600)
    writer.transitions = []
    #expect(try Zone(file: writer.octets).offset(at: 0) == 0)
    writer.footer = "AAA-2"
    #expect(try Zone(file: writer.octets).offset(at: 0) == 7200)
  }

  @Test("A file cut short anywhere is refused, and so is one with anything after it")
  func truncation() throws {
    var writer = ZoneFileWriter()
    writer.types = [0, 3600]
    writer.transitions = [(0, 1), (50, 0)]
    writer.footer = Zone.berlin
    let octets = writer.octets
    #expect(throws: Never.self) { try Zone(file: octets) }
    for count in 0..<octets.count {
      #expect(throws: ZoneError.self, "\(count) octets") { try Zone(file: Array(octets.prefix(count))) }
    }
    #expect(throws: ZoneError.self) { try Zone(file: octets + [0]) }
  }

  @Test("What a file must not say is refused in words")
  func refusals() {
    func refusal(_ change: (inout ZoneFileWriter) -> Void) -> String? {
      var writer = ZoneFileWriter()
      writer.types = [0, 3600]
      writer.transitions = [(0, 1), (50, 0)]
      change(&writer)
      do { _ = try Zone(file: writer.octets) } catch { return error.description }
      return nil
    }
    #expect(refusal { _ in } == nil)
    #expect(refusal { $0.leapSeconds = 27 } == "it counts leap seconds")
    #expect(refusal { $0.types = [] } == "it has no local time type")
    #expect(refusal { $0.types = [0, 93_600] } == "an offset of 93600 s is more than a day")
    #expect(refusal { $0.types = [0] } == "a transition leads nowhere")
    #expect(refusal { $0.transitions = [(5, 1), (5, 0)] } == "its transitions are not in order")
    #expect(refusal { $0.transitions = [(.min, 1)] } == "its transitions are not in order")
    #expect(refusal { $0.version = "0" } == "its version is unknown")
    var octets = ZoneFileWriter().octets
    octets[0] = 0
    #expect(throws: ZoneError("it is not in the TZif format")) { try Zone(file: octets) }
  }

  @Test("Counts that would need more than the file has are refused before anything is made of them")
  func counts() {
    var octets = ZoneFileWriter(version: "1").octets
    for index in 20..<44 { octets[index] = index < 28 || index >= 32 ? 0xff : 0 }
    #expect(throws: ZoneError("it announces more than it has")) { try Zone(file: octets) }
  }
}
