import Testing

@testable import Gateway

struct ErrorBodyTests {
  @Test("OpenAI's callers get OpenAI's error object, others get problem details; all text is escaped")
  func shapes() {
    let error = GatewayError.modelNotFound("no \"x\"\n", named: "x")
    #expect(
      String(decoding: error.body(.openAI), as: UTF8.self)
        == #"{"error":{"message":"no \"x\"\u000a","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#
        + "\n")
    #expect(
      String(decoding: error.body(.problem), as: UTF8.self)
        == #"{"type":"about:blank","title":"Not Found","status":404,"detail":"no \"x\"\u000a","code":"model_not_found"}"#
        + "\n")
  }

  @Test("A body that is too long is told how else to name the model")
  func tooLarge() {
    let message = GatewayError.bodyTooLarge(limit: 8, domain: "models.test").message
    #expect(message.contains("<name>.<namespace>.models.test") && message.contains("/<namespace>/<name>/"))
  }
}
