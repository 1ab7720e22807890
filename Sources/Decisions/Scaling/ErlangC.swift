/// Waits in a queue with several servers: Erlang's delay formula for Poisson arrivals and exponential service times (M/M/c),
/// corrected for other arrivals and times by Allen and Cunneen (A. O. Allen, "Probability, Statistics, and Queueing Theory",
/// 2nd edition, 5.3): the mean wait is multiplied by (Ca² + Cs²) / 2, of the two squared coefficients of variation.
struct WaitingLine {
  var servers: Int
  /// Probability that a request waits at all.
  private(set) var waitingShare: Double
  /// What the wait of those who wait falls by, per second: its distribution is exponential.
  private(set) var decay: Double

  /// - Parameters:
  ///   - arrivals: per second.
  ///   - service: mean time that a request occupies a server, in seconds; above 0.
  ///   - variability: (Ca² + Cs²) / 2.
  ///   - blocking: ``erlangB(servers:offered:)`` of the servers and arrivals × service.
  init(servers: Int, arrivals: Double, service: Double, variability: Double, blocking: Double) {
    self.servers = servers
    let offered = arrivals * service
    waitingShare = Self.erlangC(servers: servers, offered: offered, blocking: blocking)
    let spare = Double(servers) / service - arrivals
    // Without any variation nobody would wait; a hundredth keeps the numbers finite.
    decay = spare > 0 ? spare / max(0.01, variability) : 0
  }

  /// Share of the requests that wait longer than so many seconds.
  func share(waitingLongerThan seconds: Double) -> Double {
    seconds <= 0 ? waitingShare : waitingShare * ElementaryFunctions.exponential(-decay * seconds)
  }

  /// Erlang's loss formula, by its recursion over the servers.
  static func erlangB(servers: Int, offered: Double) -> Double {
    var blocking = 1.0
    for server in stride(from: 1, through: servers, by: 1) { blocking = next(blocking, server: server, offered) }
    return blocking
  }

  /// The loss formula with one server more.
  static func next(_ blocking: Double, server: Int, _ offered: Double) -> Double {
    offered * blocking / (Double(server) + offered * blocking)
  }

  /// Erlang's delay formula.
  static func erlangC(servers: Int, offered: Double) -> Double {
    erlangC(servers: servers, offered: offered, blocking: erlangB(servers: servers, offered: offered))
  }

  private static func erlangC(servers: Int, offered: Double, blocking: Double) -> Double {
    guard offered > 0 else { return 0 }
    guard servers > 0, offered < Double(servers) else { return 1 }
    return blocking / (1 - offered / Double(servers) * (1 - blocking))
  }
}
