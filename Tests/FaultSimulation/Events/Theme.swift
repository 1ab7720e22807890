/// What goes wrong most in a simulated life. Some faults do harm only when others fall together with them: one mix of all of
/// them brings such coincidences about too rarely, so a seed picks one.
enum Theme: Sendable {
  /// Everything, evenly.
  case mixed
  /// A gateway cannot be heard for long, and everybody else is quiet: its model looks idle to who takes silence for none.
  case silence
  /// Others scale the controller's Deployments by hand while its own scale-down is on its way.
  case contention
  /// Requests that last, and pods that are written by others: scale-downs among busy replicas meet conflicts.
  case streams

  init(_ dice: inout Dice) {
    switch dice.int(0...9) {
    case 0...5: self = .mixed
    case 6: self = .silence
    case 7: self = .contention
    default: self = .streams
    }
  }

  /// How long things go wrong, in seconds.
  var faultyTime: ClosedRange<Double> {
    switch self {
    case .mixed: 12...30
    case .silence: 48...56
    case .contention, .streams: 20...35
    }
  }

  /// Between two faults of machines and connections, in seconds.
  var pause: ClosedRange<Double> {
    switch self {
    case .mixed: 0.5...4.5
    case .silence: 20...60
    case .contention: 3...12
    case .streams: 6...20
    }
  }
}
