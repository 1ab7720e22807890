/// Annotations on an InferenceService that tune the gateway. Each may be left out.
public enum Annotations {
  /// A duration such as `15s`: while a request for a stream is held, its caller gets a comment this often.
  public static let holdKeepAlive = "serving.pilotlight.dev/hold-keep-alive"
  /// A number of bytes, such as `100`: requests whose prompts begin with so many equal bytes prefer one replica.
  public static let prefixAffinity = "serving.pilotlight.dev/prefix-affinity"
}
