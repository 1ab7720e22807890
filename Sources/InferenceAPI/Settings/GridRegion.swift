/// Yearly average carbon intensity of the electricity of some regions.
///
/// `world`: Ember, Global Electricity Review 2025 (figures of 2024). The others carry the names of AWS regions and the figures
/// of Cloud Carbon Footprint's methodology, which cites the grids' own reports.
public enum GridRegion {
  /// Grams of CO2 equivalent per kWh, by name.
  static let gramsPerKWh: [(name: String, grams: Double)] = [
    ("world", 473), ("us-east-1", 379), ("us-east-2", 411), ("us-west-1", 322), ("us-west-2", 322), ("eu-north-1", 8.8),
    ("eu-west-1", 279), ("eu-west-3", 51), ("eu-central-1", 311), ("ap-south-1", 708), ("ap-southeast-2", 760),
    ("af-south-1", 901),
  ]

  /// Nil: no such region is known here.
  static func grams(_ name: String) -> Double? { gramsPerKWh.first { $0.name == name }?.grams }
}
