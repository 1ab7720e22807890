import Testing

@testable import HTTPWire

@Suite struct StreamFieldTests {
  @Test(
    "server-sent events are counted, split anywhere, with any line end",
    arguments: [
      ("data: a\n\ndata: b\n\n", 2, false), ("data:a\r\n\r\ndata\r\n\r\n", 2, false),
      ("data: a\r\rdata: b\r\r", 2, false), ("data: a\r\ndata: b\r\n\r\n", 1, false),
      (": comment\n\nevent: x\n\n", 0, false), ("data: a\ndata: b\n\n", 1, false), ("data: a\n", 0, false),
      ("datax: a\n\n", 0, false), ("data: a\n\ndata: [DONE]\n\n", 1, true), ("data:[DONE]\n\n", 0, true),
      ("data: [DONE] \n\n", 1, false), ("data: [DONE\n\n", 1, false), ("id: 1\ndata: {}\nevent: y\n\n", 1, false),
    ])
  func events(text: String, events: Int, isDone: Bool) {
    for size in 1...text.utf8.count {
      var counter = SSEEventCounter()
      let octets = Array(text.utf8)
      for start in stride(from: 0, to: octets.count, by: size) {
        octets[start..<min(start + size, octets.count)].withUnsafeBytes { counter.consume($0) }
      }
      #expect(counter.events == events)
      #expect(counter.isDone == isDone)
    }
  }

  @Test(
    "Prefer: wait is read as RFC 7240 says",
    arguments: [
      (["wait=30"], 30), (["respond-async, Wait = 5"], 5), (["wait=\"7\";x=y"], 7), (["wait=1", "wait=2"], 1),
      ([], nil),
      (["x, \"a,wait=3\";y, wait = \"4\" ; z"], 4), (["x=\"a\\\",wait=3\", wait=4"], 4), (["wait=x", "wait=2"], nil),
      ([", ,wait=5,"], 5), (["wait=\""], nil), (["wait=\"\""], nil), (["w\u{e9}it=1,wait=2"], 2),
      (["wait"], nil), (["wait=abc"], nil), (["wait=-1"], nil), (["wait=9999999999"], nil), (["x=\"wait=3\""], nil),
    ] as [([String], Int?)])
  func prefer(values: [String], seconds: Int?) {
    #expect(PreferHeader.wait(in: values) == seconds.map { .seconds($0) })
  }

  @Test(
    "Priority is read as RFC 9218 says",
    arguments: [
      (["u=1"], 1, false), (["u=0, i"], 0, true), (["i=?0, u=7"], 7, false), (["u=8"], 3, false), (["u=-1"], 3, false),
      (["u=1", "u=2"], 2, false), (["u=1;x=y, i;z"], 1, true), ([], 3, false), (["U=1"], 3, false),
      (["u=\"1\""], 3, false), (["u=1, u=9, i=?2, , i"], 1, true), (["x=\",u=1\", i, i=?0"], 3, false),
      (["u=11"], 3, false),
    ])
  func priority(values: [String], urgency: Int, isIncremental: Bool) {
    #expect(PriorityHeader(values) == PriorityHeader(urgency: urgency, isIncremental: isIncremental))
  }

  @Test("A list of 64 KiB is read to its end")
  func longLists() {
    let value = String(repeating: "b,", count: 32_000)
    #expect(PreferHeader.wait(in: [value]) == nil && PriorityHeader([value]) == PriorityHeader())
    #expect(PreferHeader.wait(in: [value + "wait=7"]) == .seconds(7))
    #expect(PriorityHeader([value + "u=1"]) == PriorityHeader(urgency: 1))
  }
}
