import HTTPWire
import Testing

@testable import Gateway

struct RouteResolverTests {
  private static let view = RoutingView(
    services: [
      ServiceRoute(
        key: ServiceKey(namespace: "default", name: "night-owl"), created: "2026-01-01T00:00:00Z",
        modelName: "Qwen/Qwen3-8B", aliases: ["gpt-4o-mini"], adapters: ["tuned", "llama3:8b"],
        hostnames: ["LLM.example.com"]),
      ServiceRoute(
        key: ServiceKey(namespace: "team", name: "night-owl"), created: "2026-02-01T00:00:00Z",
        aliases: ["gpt-4o-mini"], hostnames: ["llm.example.com"]),
      ServiceRoute(
        key: ServiceKey(namespace: "team", name: "plain"), created: "2026-02-01T00:00:00Z", modelProtocol: .http),
    ], domain: "models.test")
  private static let resolver = RouteResolver(view: view)
  private static let (owl, younger, plain) = (0, 1, 2)

  @Test(
    "A service is found by host or by path, and the path's prefix is stripped",
    arguments: [
      ("night-owl.default.models.test", "/v1/chat/completions", owl, "/v1/chat/completions"),
      ("NIGHT-OWL.Default.Models.Test:8080", "/anything?x=1", owl, "/anything?x=1"),
      ("night-owl.team.models.test.", "/", younger, "/"),
      ("llm.example.com", "/v1/embeddings", owl, "/v1/embeddings"),
      ("gateway", "/team/night-owl/v1/chat/completions", younger, "/v1/chat/completions"),
      ("gateway", "/team/plain", plain, "/"),
      ("gateway", "/team/plain?q=a/b", plain, "/?q=a/b"),
      ("gateway", "/team/./x/../plain/a%2Fb", plain, "/a%2Fb"),
      ("gateway", "http://plain.team.models.test/x?y", plain, "/x?y"),
      ("gateway", "/%74eam/pl%61in/x", plain, "/x"),
      ("gateway", "//team//plain//x///y//", plain, "/x/y/"),
      ("llm.example.com", "/v1/%63hat/completions?%63=//..", owl, "/v1/chat/completions?%63=//.."),
      ("llm.example.com", "//v1/chat/completions", owl, "/v1/chat/completions"),
      ("llm.example.com", "/v1/x//..//chat/completions/.", owl, "/v1/chat/completions/"),
      ("gateway", "/v2/models/night-owl/infer", owl, "/v2/models/Qwen%2FQwen3-8B/infer"),
      ("gateway", "/v2/models/Qwen/Qwen3-8B/infer", owl, "/v2/models/Qwen/Qwen3-8B/infer"),
      ("gateway", "/v2/models/team%2Fplain/ready", plain, "/v2/models/plain/ready"),
      ("gateway", "/v1/models/gpt-4o-mini:predict?a=b", owl, "/v1/models/Qwen%2FQwen3-8B:predict?a=b"),
      ("gateway", "/v1/models/llama3:8b:predict", owl, "/v1/models/llama3:8b:predict"),
      ("gateway", "/v1/models/llama3%3A8b:own", owl, "/v1/models/llama3%3A8b:own"),
    ])
  func findsService(host: String, target: String, service: Int, inner: String) {
    #expect(
      Self.resolver.resolve(method: "POST", host: host, target: target) == .service(service, target: inner))
  }

  @Test(
    "The reserved prefixes look into the body, and never mean a namespace",
    arguments: ["/v1/chat/completions", "/v2/anything", "/v1/night-owl", "/x/../v1/completions", "/x/%2e%2E/v1/y"])
  func reserved(target: String) {
    guard case .modelInBody = Self.resolver.resolve(method: "POST", host: "gateway", target: target) else {
      Issue.record("not searched: \(target)")
      return
    }
  }

  @Test(
    "The gateway answers for itself: lists, descriptions, health and errors",
    arguments: [
      ("GET", "gateway", "/v1/models", "listModels(service: nil)"),
      ("GET", "night-owl.team.models.test", "/v1/models", "listModels(service: Optional(1))"),
      ("GET", "gateway", "/team/night-owl/v1/models", "listModels(service: Optional(1))"),
      ("GET", "gateway", "/v1/models/Qwen/Qwen3-8B", "describeModel(\"Qwen/Qwen3-8B\")"),
      ("GET", "gateway", "/v1/models/llama3:8b", "describeModel(\"llama3:8b\")"),
      ("GET", "gateway", "/v1/models/llama3%3a8b", "describeModel(\"llama3:8b\")"),
      ("GET", "gateway", "/v1/models/llama3:9b", "describeModel(\"llama3:9b\")"),
      ("GET", "gateway", "/v1/models/llama3:8b:predict", "service(0, target: \"/v1/models/llama3:8b:predict\")"),
      ("POST", "gateway", "/v1/models/llama3:9b:predict", "notFound"),
      ("POST", "gateway", "/v1/models/llama3:8b", "modelInBody"),
      ("OPTIONS", "gateway", "http://plain.team.models.test", "service(2, target: \"*\")"),
      ("OPTIONS", "gateway", "http://plain.team.models.test/", "service(2, target: \"/\")"),
      ("OPTIONS", "gateway", "http://plain.team.models.test?", "service(2, target: \"/?\")"),
      ("OPTIONS", "gateway", "http://nobody.test", "notFound"),
      ("GET", "gateway", "/%76%31/models", "listModels(service: nil)"),
      ("GET", "gateway", "/healthz", "health"),
      ("GET", "gateway", "/v1/files", "notFound"),
      ("POST", "gateway", "/nobody/none/x", "notFound"),
      ("POST", "gateway", "/default/night-owl/../../x", "notFound"),
      ("POST", "none.default.models.test", "/v1/completions", "notFound"),
      ("POST", "gateway", "/v2/models/none/infer", "notFound"),
      ("POST", "gateway", "ftp://x", "malformed"),
    ])
  func answersItself(method: String, host: String, target: String, expected: String) {
    let found = "\(Self.resolver.resolve(method: method, host: host, target: target))"
    #expect(found.hasPrefix(expected), "\(found)")
  }

  @Test(
    "What is frequent is found on bytes, and what must be put into another form first is left to the resolver",
    arguments: [
      ("/v1/chat/completions", true), ("/v1/a.b/c", true), ("/x?//..%41", true), ("/", true), ("//x", false),
      ("/v1//x", false), ("/v1/x//", false), ("/v1/%63hat", false), ("/v1/./x", false), ("/v1/..", false),
      ("/v1/x%2Fy", false), ("/v1/x\\y", false), ("*", false),
    ])
  func fast(target: String, isFast: Bool) {
    let host = Array("llm.example.com".utf8)
    let found = Array(target.utf8).withUnsafeBytes { target in
      host.withUnsafeBytes { FastRoute.resolve(isPost: true, target: target, host: $0, names: Self.view.names) }
    }
    #expect(found == (isFast ? .service(Self.owl, targetStart: 0) : nil))
    guard isFast else { return }
    let slow = Self.resolver.resolve(method: "POST", host: "llm.example.com", target: target)
    #expect(slow == .service(Self.owl, target: target), "the resolver would send another target")
  }

  @Test(
    "A model name finds its service; of two claims the older object's holds, namespace/name always works",
    arguments: [
      ("night-owl", owl, "Qwen/Qwen3-8B"), ("default/night-owl", owl, "Qwen/Qwen3-8B"), ("Qwen/Qwen3-8B", owl, nil),
      ("gpt-4o-mini", owl, "Qwen/Qwen3-8B"), ("tuned", owl, nil), ("team/night-owl", younger, "night-owl"),
      ("plain", plain, nil), ("team/plain", plain, "plain"), ("none", nil, nil), ("", nil, nil),
    ] as [(String, Int?, String?)])
  func names(model: String, service: Int?, rename: String?) {
    let target = Self.view.names.target(model: model, services: Self.view.services)
    #expect(target?.service == service)
    #expect(target?.rename == rename)
  }

  @Test("The list of models names each service by what its callers may say")
  func list() {
    let all = String(decoding: ModelList.list(Self.view, service: nil), as: UTF8.self)
    let ids = all.split(separator: #""id":""#).dropFirst().map { $0.prefix(while: { $0 != "\"" }) }
    #expect(ids == ["Qwen/Qwen3-8B", "gpt-4o-mini", "llama3:8b", "night-owl", "plain", "team/night-owl", "tuned"])
    #expect(all.contains(#""created":1767225600,"owned_by":"default""#))
  }

  @Test(
    "Only inference wakes a model",
    arguments: [
      ("POST", "/v1/chat/completions", owl, false, true), ("POST", "/tokenize", owl, false, true),
      ("GET", "/v1/models", owl, false, false), ("GET", "/health", owl, false, false),
      ("GET", "/v1/realtime?model=x", owl, true, true), ("GET", "/v1/files", owl, false, false),
      ("OPTIONS", "/v1/chat/completions", owl, false, false), ("HEAD", "/ask", plain, false, false),
      ("GET", "/ask?q=1", plain, false, true), ("GET", "/metrics", plain, false, false),
      ("GET", "/health?probe", plain, false, false),
    ])
  func wakes(method: String, target: String, service: Int, upgrades: Bool, expected: Bool) throws {
    let upgrade = upgrades ? "Upgrade: websocket\r\nConnection: upgrade\r\n" : ""
    let head = Array("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\(upgrade)\r\n".utf8)
    var parser = RequestHeadParser()
    _ = try parser.scan(head.span)
    head.withUnsafeBytes { bytes in
      let view = HeadView(layout: parser.layout, bytes: bytes)
      let route = Self.view.services[service]
      #expect(
        InferenceRequest.wakes(
          view, target: .received(from: 0), service: route, opensSession: upgrades) == expected)
      #expect(InferenceRequest.wakes(view, target: .text(target), service: route, opensSession: upgrades) == expected)
    }
  }
}
