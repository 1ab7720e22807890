/// Yearly average carbon intensity of the electricity of some regions, by location, and what a site there draws beyond its
/// computers.
///
/// Intensity: `world` by Ember, Global Electricity Review 2025 (figures of 2024); the others carry the names of AWS regions and the
/// figures of Cloud Carbon Footprint's methodology, which cites the grids' own reports. Effectiveness (PUE, ISO/IEC 30134-2):
/// `world` by the Uptime Institute's survey of 2023 (1.58); AWS by its report for 2024: 1.10 in Stockholm, 1.42 in Mumbai, 1.15 over
/// all regions.
public struct GridRegion: Hashable, Sendable {
  public let name: String
  /// Grams of CO2 equivalent per kWh.
  public let grams: Double
  /// The site's energy per energy of its computers.
  public let effectiveness: Double

  private init(_ name: String, _ grams: Double, _ effectiveness: Double = 1.15) {
    self.name = name
    self.grams = grams
    self.effectiveness = effectiveness
  }

  static let world = GridRegion("world", 473, 1.58)

  public static let all = [
    world, GridRegion("us-east-1", 379), GridRegion("us-east-2", 411), GridRegion("us-west-1", 322),
    GridRegion("us-west-2", 322), GridRegion("eu-north-1", 8.8, 1.10), GridRegion("eu-west-1", 279),
    GridRegion("eu-west-3", 51), GridRegion("eu-central-1", 311), GridRegion("ap-south-1", 708, 1.42),
    GridRegion("ap-southeast-2", 760), GridRegion("af-south-1", 901),
  ]

  /// Nil: no such region is known here.
  static func named(_ name: String) -> GridRegion? { all.first { $0.name == name } }
}
