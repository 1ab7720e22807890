import FoundationEssentials
import KubernetesAPI

/// A schedule of dedicated replicas, every day, in UTC.
struct DailySchedule {
  /// In minutes of the day; it ends after it starts.
  var start: Int
  var end: Int
  var replicas: Int

  var spec: JSONValue {
    [
      "name": "shift", "start": .string(Self.clock(start)), "end": .string(Self.clock(end)),
      "replicas": JSONValue(replicas),
    ]
  }

  func holds(at wall: Date) -> Bool {
    let minute = Int(wall.timeIntervalSince1970.rounded(.down)) / 60 % (24 * 60)
    return (start..<end).contains(minute)
  }

  private static func clock(_ minutes: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(minutes / 60)):\(two(minutes % 60))"
  }
}

/// What the owner of a service asked for, as far as rules depend on it.
struct OwnersWish: CustomStringConvertible {
  var dedicated = 0
  var schedule: DailySchedule?
  /// A new template is tried by a canary.
  var hasCanary = false
  var maxBurst = 1
  var isSuspended = false
  var drainTimeout: Duration = .seconds(20)

  var wantsNoBurst: Bool { isSuspended || maxBurst == 0 }

  /// Dedicated replicas by the wall clock of whoever decides.
  func dedicated(at wall: Date) -> Int {
    guard let schedule, schedule.holds(at: wall) else { return dedicated }
    return max(dedicated, schedule.replicas)
  }

  var mostDedicated: Int { max(dedicated, schedule?.replicas ?? 0) }

  /// Wall clocks may be wrong: a schedule may hold at any time.
  func allows(_ scale: ScaleWrite) -> Bool {
    if isSuspended { return scale.replicas == 0 }
    if scale.isBurst { return (0...maxBurst).contains(scale.replicas) }
    // A share of both pools; where the owner wants none any more, its replicas go.
    if scale.pool == "canary" { return (0...(hasCanary ? mostDedicated + maxBurst : 0)).contains(scale.replicas) }
    return scale.replicas == dedicated || scale.replicas == mostDedicated
  }

  var description: String {
    isSuspended ? "(suspended)" : "(dedicated \(dedicated)...\(mostDedicated), burst 0...\(maxBurst))"
  }
}

/// Every wish with the resource version from which it was in force; nil: there was no service.
final class SpecHistory {
  private var wishes: [ObjectKey: [(from: Int, wish: OwnersWish?)]] = [:]
  /// Resource version of the last change of any.
  private(set) var lastVersion = 0

  func set(_ wish: OwnersWish?, of service: ObjectKey, from version: Int) {
    lastVersion = version
    wishes[service, default: [(0, nil)]].append((version, wish))
  }

  func latest(_ service: ObjectKey) -> OwnersWish? { wishes[service]?.last?.wish }

  /// Those in force at a resource version or after it.
  func since(_ version: Int, of service: ObjectKey) -> [OwnersWish?] {
    let all = wishes[service] ?? []
    return all.indices.filter { $0 == all.indices.last || all[$0 + 1].from > version }.map { all[$0].wish }
  }
}
