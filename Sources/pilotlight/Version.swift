/// The version of this binary, as `pilotlight version` and the logs say it.
enum Version {
  static let current = "0.1.0"
}
