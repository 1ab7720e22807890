/// Knative's pod autoscaler (KPA) as published: pkg/autoscaler/scaling/autoscaler.go `Scale`, without I/O. Times in microseconds.
public struct KnativeAutoscaler: Hashable, Sendable {
  /// Concurrency that a pod should carry: `container-concurrency-target-percentage` of its limit.
  public var target: Double
  public var maxScaleUpRate = 1000.0
  public var maxScaleDownRate = 2.0
  /// Panic at this multiple of what the ready pods should carry (`panic-threshold-percentage` 200).
  public var panicThreshold = 2.0
  public var stableWindow: Int64 = 60_000_000
  private var panicTime: Int64?
  private var maxPanicPods = 0

  public init(target: Double) { self.target = max(0.01, target) }

  public var isPanicking: Bool { panicTime != nil }

  /// Pods by the averages over the stable and the panic window.
  /// - Parameter ready: ready pods; 0 counts as 1.
  public mutating func desired(ready: Int, stable: Double, panic: Double, now: Int64) -> Int {
    let readyPods = Double(max(1, ready))
    let most = (maxScaleUpRate * readyPods).rounded(.up)
    let least = (readyPods / maxScaleDownRate).rounded(.down)
    let stablePods = (stable / target).rounded(.up)
    let panicPods = (panic / target).rounded(.up)
    let wantedStable = Int(min(max(stablePods, least), most))
    let wantedPanic = Int(min(max(panicPods, least), most))
    if panicPods / readyPods >= panicThreshold {
      panicTime = now
    } else if let since = panicTime, since + stableWindow < now {
      panicTime = nil
      maxPanicPods = 0
    }
    guard panicTime != nil else { return wantedStable }
    maxPanicPods = max(maxPanicPods, wantedStable, wantedPanic)
    return maxPanicPods
  }
}
