/// Power of accelerators, one device each, for replicas of which nobody says how much they draw.
///
/// `busy`: the thermal design power of the maker's data sheet. `idle`: Cloud Carbon Footprint's minimum watts (T4, A10,
/// A100) and measurements (H200: 80.3 W). Where nothing is published, 12 % of the design power: the published ones are 11 % to
/// 12 %. A CUDA context raises bare idle by 26 W to 66 W ("The Model Parking Tax", arXiv 2605.23918); that is not added.
public struct AcceleratorPower: Hashable, Sendable {
  public var name: String
  public var idleWatts: Double
  public var busyWatts: Double
  /// Nobody publishes an idle figure: it is a share of the design power.
  public var isIdleEstimated: Bool

  private init(_ name: String, idle: Double?, busy: Double) {
    self.name = name
    idleWatts = idle ?? (busy * Self.idleShare).rounded()
    busyWatts = busy
    isIdleEstimated = idle == nil
  }

  static let idleShare = 0.12

  /// Longer names before those that they begin with.
  public static let table = [
    AcceleratorPower("T4", idle: 8, busy: 70), AcceleratorPower("L40S", idle: nil, busy: 350),
    AcceleratorPower("L4", idle: nil, busy: 72), AcceleratorPower("A10G", idle: 18, busy: 150),
    AcceleratorPower("A100-PCIE", idle: 46, busy: 300), AcceleratorPower("A100", idle: 46, busy: 400),
    AcceleratorPower("A10", idle: 18, busy: 150), AcceleratorPower("H100-PCIE", idle: nil, busy: 350),
    AcceleratorPower("H100", idle: nil, busy: 700), AcceleratorPower("H200", idle: 80.3, busy: 700),
    AcceleratorPower("B200", idle: nil, busy: 1000),
  ]

  /// Labels of nodes that name their accelerator: NVIDIA's GPU feature discovery, GKE, Karpenter on AWS.
  public static let labels = [
    "nvidia.com/gpu.product", "cloud.google.com/gke-accelerator", "karpenter.k8s.aws/instance-gpu-name",
  ]

  /// The accelerator that a label's value names, such as `NVIDIA-A100-SXM4-80GB`, `nvidia-tesla-t4` or `a10g`; nil: none
  /// that the table has, or a part of one (`…-MIG-1g.5gb`, `…-SHARED`), of which nobody knows what it draws.
  public static func named(_ value: String) -> AcceleratorPower? {
    let words = value.uppercased().split { "-_ ".contains($0) }.map(String.init)
    guard !words.contains("MIG"), !words.contains("SHARED") else { return nil }
    func has(_ name: String) -> Bool {
      let parts = name.split(separator: "-").map(String.init)
      return parts.allSatisfy { words.contains($0) }
    }
    return table.first { has($0.name) }
  }
}
