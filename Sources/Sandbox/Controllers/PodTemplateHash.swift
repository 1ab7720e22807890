import KubernetesAPI

/// The short name of a pod template in ReplicaSet and pod names: FNV-1a of its canonical JSON, spelled without vowels and
/// look-alikes (k8s.io/apimachinery `rand.SafeEncodeString`). Real clusters hash Go's memory layout; only stability counts.
enum PodTemplateHash {
  private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")

  /// - Parameter collisions: how many other objects already had the hash.
  static func text(of template: JSONValue, collisions: Int) -> String {
    var hash: UInt32 = 2_166_136_261
    for byte in template.bytes + (collisions == 0 ? [] : Array(String(collisions).utf8)) {
      hash = (hash ^ UInt32(byte)) &* 16_777_619
    }
    return String(String(hash).utf8.map { alphabet[Int($0) % alphabet.count] })
  }
}
