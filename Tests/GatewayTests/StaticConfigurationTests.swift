import Testing

@testable import Gateway

struct StaticConfigurationTests {
  @Test("A file names services, their limits and endpoints; what it leaves out has the resource's defaults")
  func reads() throws {
    let file = """
      {"domain": "models.test", "services": [
        {"name": "llama", "model": "meta/Llama", "aliases": ["gpt"], "hostnames": ["llm.test"], "protocol": "OpenAI",
         "queue": {"maxRequests": 5, "maxWait": "1m30s"}, "timeouts": {"response": "250ms"}, "order": ["Burst"],
         "endpoints": [{"address": "127.0.0.1:8000", "pool": "burst", "maxConcurrency": 3}, {"address": "[::1]:80"}]},
        {"name": "other", "namespace": "team"}]}
      """
    let configuration = try StaticConfiguration(parsing: Array(file.utf8))
    let llama = configuration.services[0]
    #expect(llama.key == ServiceKey(namespace: "default", name: "llama") && llama.modelName == "meta/Llama")
    #expect(llama.maxHeld == 5 && llama.maxWait == .seconds(90) && llama.responseTimeout == .milliseconds(250))
    #expect(llama.order == [.burst])
    #expect(llama.replicas.map(\.maxConcurrency) == [3, 64] && llama.replicas.map(\.pool) == [.burst, .dedicated])
    #expect(llama.replicas.map(\.address.port) == [8000, 80])
    let other = configuration.services[1]
    #expect(other.key.namespace == "team" && other.modelName == "other" && other.maxHeld == 1000)
    #expect(configuration.view.domain == "models.test")
  }

  @Test(
    "What is wrong is told by path, value and what is accepted",
    arguments: [
      (#"{"services": {}}"#, "services: must be a list, is an object"),
      (#"[]"#, "the file: must be an object, is a list"),
      (#"{"service": []}"#, "service: unknown field; known are domain, services"),
      (#"{"services": [{}]}"#, "services[0].name: is needed"),
      (#"{"services": [{"name": 1}]}"#, "services[0].name: must be a string that is not empty, is a number"),
      (#"{"services": [{"name": "a/b"}]}"#, "services[0].name: 'a/b' must hold neither '.' nor '/'; see 'model'"),
      (#"{"services": [{"name": "a"}, {"name": "a"}]}"#, "services[1].name: default/a is already there"),
      (
        #"{"services": [{"name": "a", "protocol": "gRPC"}]}"#,
        "services[0].protocol: 'gRPC' is none of OpenAI, OpenInference, KServeV1, HTTP"
      ),
      (
        #"{"services": [{"name": "a", "queue": {"maxWait": "10 minutes"}}]}"#,
        "services[0].queue.maxWait: '10 minutes' is not a duration such as 250ms, 90s, 10m or 1h30m"
      ),
      (
        #"{"services": [{"name": "a", "queue": {"maxRequests": -1}}]}"#,
        "services[0].queue.maxRequests: must be a whole number from 0 to 1000000, is -1"
      ),
      (
        #"{"services": [{"name": "a", "endpoints": [{"address": "here"}]}]}"#,
        "services[0].endpoints[0].address: 'here' is no address and port such as 127.0.0.1:8000"
      ),
      (
        #"{"services": [{"name": "a", "healthPath": "up"}]}"#,
        "services[0].healthPath: 'up' must start with '/', or be empty to connect only"
      ),
      (
        #"{"services": [{"name": "a", "order": ["Burst", "Burst"]}]}"#,
        "services[0].order: 'Burst' must be Dedicated or Burst, each at most once"
      ),
    ])
  func refuses(file: String, message: String) {
    #expect(throws: ConfigurationError(message)) { try StaticConfiguration(parsing: Array(file.utf8)) }
  }

  @Test("A file that is no JSON says so")
  func noJSON() {
    let error = #expect(throws: ConfigurationError.self) { try StaticConfiguration(parsing: Array("{".utf8)) }
    #expect(error?.description.hasPrefix("the file is no JSON: ") ?? false)
  }
}
