/// The Prometheus text exposition format, version 0.0.4
/// (https://github.com/prometheus/docs, "Exposition formats").
enum PrometheusText {
  static func header(_ name: String, _ help: String, _ type: String, to text: inout String) {
    text += "# HELP \(name) \(escaped(help, quotes: false))\n# TYPE \(name) \(type)\n"
  }

  static func sample(
    _ name: String, _ labelNames: [String], _ labelValues: [String], _ value: Double, to text: inout String
  ) {
    text += name
    if !labelNames.isEmpty {
      let labels = zip(labelNames, labelValues).map { "\($0)=\"\(escaped($1, quotes: true))\"" }
      text += "{\(labels.joined(separator: ","))}"
    }
    text += " \(number(value))\n"
  }

  static func histogram(_ histogram: Histogram, to text: inout String) {
    let table = histogram.table
    header(table.name, table.help, "histogram", to: &text)
    let bucketLabels = table.labelNames + ["le"]
    for (values, series) in table.sorted {
      let (counts, sum) = series.snapshot
      var cumulative = 0
      for (bound, count) in zip(histogram.bounds, counts) {
        cumulative += count
        sample("\(table.name)_bucket", bucketLabels, values + [number(bound)], Double(cumulative), to: &text)
      }
      let total = counts.reduce(0, +)
      sample("\(table.name)_bucket", bucketLabels, values + ["+Inf"], Double(total), to: &text)
      sample("\(table.name)_sum", table.labelNames, values, sum, to: &text)
      sample("\(table.name)_count", table.labelNames, values, Double(total), to: &text)
    }
  }

  /// Whole numbers without a fraction; Go's spelling of what is not finite.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if let whole = Int64(exactly: value) { return String(whole) }
    return String(value)
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var output = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\"" where quotes: output += "\\\""
      default: output.unicodeScalars.append(character)
      }
    }
    return output
  }
}
