import KubernetesAPI

extension InstallationSettings {
  /// The document in the ConfigMap, in the words of the resource's own schema: so it is checked the same way, and what is wrong
  /// is told the same way.
  static let schema = SchemaNode.object(
    "Settings of one installation.",
    [
      ("domain", .dnsName("Services are <name>.<namespace>.<domain> at the gateway.", max: 190)),
      (
        "hold",
        .object(
          "What each gateway holds at once, over all services.",
          [
            ("maxRequests", .integer("Requests.", 0...10_000_000)),
            ("maxBytes", .integer("Bytes of request bodies.", 0...1 << 40, format: "int64")),
          ])
      ),
      (
        "timeouts",
        .object(
          "How long each gateway waits for a caller.",
          [
            ("head", .duration("From a request's first byte to the end of its head.", from: "1s", to: "10m")),
            ("body", .duration("Silence within a request's body.", from: "1s", to: "10m")),
            ("idle", .duration("A connection without a request.", from: "1s", to: "1h")),
          ])
      ),
      (
        "ledger",
        .object(
          "How the controller keeps accounts.",
          [
            ("retentionDays", .integer("Days for which they are kept.", 1...3650)),
            ("writeInterval", .duration("How often a book that changed is stored.", from: "5s", to: "1h")),
          ])
      ),
      ("economics", economics("Holds for services and pools of which nothing closer is said.", hasCurrency: true)),
      (
        "namespaces",
        .list(
          "By namespace, before the above.", .map, keys: ["name"], max: 1000,
          of: .object(
            nil, required: ["name", "economics"],
            [
              ("name", .dnsName("Of the services.", max: 63)), ("economics", economics("What holds there.")),
            ]))
      ),
      (
        "nodes",
        .list(
          "By a label of the nodes that a pool asks for in its nodeSelector, before the above; the first that fits holds.",
          .atomic, max: 1000,
          of: .object(
            nil, required: ["label", "value", "economics"],
            [
              ("label", .text("Name of the label, such as node.kubernetes.io/instance-type.", min: 1, max: 317)),
              ("value", .text("Its value.", max: 63)), ("economics", economics("What a replica on such a node costs.")),
            ]))
      ),
    ])

  private static func economics(_ description: String, hasCurrency: Bool = false) -> SchemaNode {
    let currency = SchemaNode.text("Currency of all prices of the installation.", max: 16, default: "USD")
      .checked(by: .currency)
    return .object(
      description,
      (hasCurrency ? [("currency", currency)] : []) + [
        ("hourlyPrice", .price("Price of a replica for an hour.")),
        ("powerWatts", .integer("Power of a replica under load.", 0...1_000_000)),
        ("carbonGramsPerKWh", .integer("Carbon intensity of the electricity; before gridRegion.", 0...5000)),
        (
          "gridRegion",
          .choice("Region whose yearly average intensity holds.", GridRegion.all.map(\.name))
        ),
        (
          "puePercent",
          .integer(
            "Power usage effectiveness in percent: 115 where the site draws 15 % more than its computers; default: by gridRegion.",
            100...300)
        ),
        (
          "embodiedKilograms",
          .integer(
            "Carbon dioxide equivalent that making what one replica uses of the hardware emitted.", 0...1_000_000)
        ),
        ("lifetimeYears", .integer("How long the hardware is used, for embodiedKilograms; default: 4.", 1...20)),
      ])
  }
}
