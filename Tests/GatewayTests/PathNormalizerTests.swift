import Testing

@testable import Gateway

struct PathNormalizerTests {
  private func normalized(_ path: String) -> String? {
    PathNormalizer.normalized(path.utf8).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(
    "A path has one form (RFC 3986, 6.2.2), and keeps it",
    arguments: [
      ("/", "/"), ("/a/b", "/a/b"), ("/a/b/", "/a/b/"), ("/%61%7e%2D%5F%2e", "/a~-_."), ("/%41%7A%30", "/Az0"),
      ("/%2f%3a%c3%A9%25", "/%2F%3A%C3%A9%25"), ("/%2561", "/%2561"), ("/%252e%252E/x", "/%252e%252E/x"),
      ("//", "/"), ("///a//b///", "/a/b/"), ("/.", "/"), ("/..", "/"), ("/../..//../a", "/a"), ("/a/./b/.", "/a/b/"),
      ("/a/b/..", "/a/"), ("/a/b/../", "/a/"), ("/a/..", "/"), ("/a/../b", "/b"), ("/a//../b", "/b"),
      ("/a/%2e%2E/b", "/b"), ("/a/.%2e/%2e/b", "/b"), ("/a/b/c/../../d", "/a/d"), ("/ab/../cd/..", "/"),
      ("/.../.a/a./..a", "/.../.a/a./..a"), ("/a%2Fb/../c", "/c"), ("/a%2fb..%2F.c", "/a%2Fb..%2F.c"),
      ("/%2F/..", "/"), ("/a%5cb", "/a%5Cb"), ("/a/..;/b", "/a/..;/b"),
    ])
  func oneForm(path: String, expected: String) {
    #expect(normalized(path) == expected)
    #expect(normalized(expected) == expected)
  }

  @Test(
    "A path that two servers could read differently has none",
    arguments: [
      "/a\\b", "/%", "/%2", "/%g0", "/%0g", "/%00", "/a/%00b", "/..%2fa", "/a%2f..", "/a%2F..%2F..%2fv1/chat",
      "/a%2f%2e%2e%2fb", "/a%2f.%2fb", "/.%2F", "/%2f..", "/..%5ca", "/a%5C%2e", "/x/a%2f..",
    ])
  func ambiguous(path: String) {
    #expect(normalized(path) == nil)
  }

  @Test("A long path of dot segments comes to what is left of it")
  func long() {
    #expect(normalized("/" + String(repeating: "x/../", count: 20_000) + "a") == "/a")
    #expect(normalized(String(repeating: "/xyz", count: 12_500) + String(repeating: "/..", count: 12_499)) == "/xyz/")
  }
}
