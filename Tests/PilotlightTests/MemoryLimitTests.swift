import Testing

@testable import pilotlight

@Suite("The memory limit of a control group")
struct MemoryLimitTests {
  @Test(
    "Where it is written, for either version of control groups, with those above",
    arguments: [
      ("0::/\n", ["/sys/fs/cgroup/memory.max"]),
      (
        "0::/kubepods.slice/pod1\n",
        [
          "/sys/fs/cgroup/kubepods.slice/pod1/memory.max", "/sys/fs/cgroup/kubepods.slice/memory.max",
          "/sys/fs/cgroup/memory.max",
        ]
      ),
      (
        "5:devices:/\n4:hugetlb,memory:/pod1\n",
        ["/sys/fs/cgroup/memory/pod1/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
      ),
      ("nonsense\n3:cpu,cpuacct:/pod1\n", []), ("", []),
    ])
  func files(groups: String, files: [String]) {
    #expect(MemoryLimit.files(of: groups) == files)
  }

  @Test(
    "Its number, or that there is none",
    arguments: [
      ("536870912\n", 536_870_912), ("max\n", nil), ("9223372036854771712\n", nil), ("0\n", nil), ("-1\n", nil),
      ("", nil),
      ("", nil), ("12x\n", nil),
    ] as [(String, Int?)])
  func bytes(text: String, bytes: Int?) {
    #expect(MemoryLimit.bytes(text) == bytes)
  }
}
