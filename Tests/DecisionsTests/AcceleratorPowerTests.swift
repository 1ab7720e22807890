import Testing

@testable import Decisions

@Suite struct AcceleratorPowerTests {
  @Test(
    "Devices are told by the labels that node feature discovery, GKE and Karpenter write",
    arguments: [
      ("Tesla-T4", "T4"), ("nvidia-tesla-t4", "T4"), ("t4", "T4"), ("NVIDIA-L4", "L4"), ("nvidia-l4", "L4"),
      ("l40s", "L40S"),
      ("NVIDIA-L40S", "L40S"), ("NVIDIA-A10G", "A10G"), ("a10g", "A10G"), ("NVIDIA-A10", "A10"),
      ("NVIDIA-A100-SXM4-80GB", "A100"), ("nvidia-tesla-a100", "A100"), ("a100", "A100"),
      ("NVIDIA-A100-PCIE-40GB", "A100-PCIE"), ("NVIDIA-A100-80GB-PCIe", "A100-PCIE"), ("NVIDIA-H100-PCIe", "H100-PCIE"),
      ("NVIDIA-H100-80GB-HBM3", "H100"), ("nvidia-h100-mega-80gb", "H100"), ("NVIDIA-H200", "H200"),
      ("NVIDIA-B200", "B200"),
    ])
  func named(label: String, device: String) {
    #expect(AcceleratorPower.named(label)?.name == device)
  }

  @Test(
    "What the table has not, and a part of a device, is not taken for one that it has",
    arguments: [
      "", "Tesla-V100-SXM2-16GB", "NVIDIA-GH200-480GB", "nvidia-l40", "a1000", "true", "h100x", "NVIDIA-RTX-A4000",
      "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", "NVIDIA-A100-SXM4-40GB-SHARED", "Tesla-T4-SHARED",
    ])
  func unknown(label: String) { #expect(AcceleratorPower.named(label) == nil) }

  @Test("Idle watts are published ones, or 12 % of busy ones; never more than a fifth")
  func idle() {
    for device in AcceleratorPower.table {
      #expect(device.idleWatts > 0 && device.idleWatts < device.busyWatts / 5, "\(device.name)")
      if device.isIdleEstimated { #expect(device.idleWatts == (device.busyWatts * 0.12).rounded(), "\(device.name)") }
    }
    #expect(AcceleratorPower.named("h200")?.idleWatts == 80.3)
    #expect(
      AcceleratorPower.named("l4")?.isIdleEstimated == true && AcceleratorPower.named("t4")?.isIdleEstimated == false)
  }
}
