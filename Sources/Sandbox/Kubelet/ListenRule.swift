/// A pod must listen on its own address: one that takes a port on every address would keep all other pods from that port.
enum ListenRule {
  /// Says which port a process of the session, or one that was started with the environment entry, holds on every address;
  /// nil when the pod keeps the rule.
  static func violation(session: Int32, marker: String, ports: [Int], address: String) -> String? {
    // Most checks end here, without a look at any process.
    let wildcards = ProcessTable.wildcardListeners(on: ports)
    if wildcards.isEmpty { return nil }
    let pids = Set(ProcessTable.members(ofSession: session) + ProcessTable.members(withEnvironment: marker))
    let inodes = ProcessTable.socketInodes(of: pids.sorted())
    guard let found = wildcards.first(where: { inodes.contains($0.inode) }) else { return nil }
    return
      "port \(found.port) is bound on every address (0.0.0.0 or ::); in the sandbox all pods share the machine, so "
      + "listen on the pod's own address only: $POD_IP, here \(address):\(found.port)"
  }
}
