import Glibc

/// Ends processes with all that they started, whatever groups and sessions those made for themselves.
enum ProcessTree {
  /// Kills a session and every process that was started with `marker` (`NAME=value`) in its environment.
  ///
  /// Repeats until none is found, since one that forks while it is looked for would slip through; bounded, so that a fork bomb
  /// cannot hold the caller for ever.
  static func kill(session: Int32, marker: String?) {
    for _ in 0..<4 {
      var pids = ProcessTable.members(ofSession: session)
      if let marker { pids += ProcessTable.members(withEnvironment: marker) }
      let own = getpid()
      pids.removeAll { $0 == own }
      if pids.isEmpty { return }
      for pid in pids { Glibc.kill(pid, SIGKILL) }
    }
  }
}
