/// SVG under construction.
struct ChartCanvas {
  private var body: [String] = []
  let width: Double
  let height: Double

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  enum Anchor: String {
    case start
    case middle
    case end
  }

  mutating func text(
    _ text: String, _ x: Double, _ y: Double, size: Double = 12, anchor: Anchor = .start, color: String = "#3c4650",
    isBold: Bool = false
  ) {
    body.append(
      "<text x=\"\(n(x))\" y=\"\(n(y))\" font-size=\"\(n(size))\" text-anchor=\"\(anchor.rawValue)\" fill=\"\(color)\""
        + (isBold ? " font-weight=\"600\"" : "") + ">\(Self.escaped(text))</text>")
  }

  /// Text that runs upwards.
  mutating func sideText(_ text: String, _ x: Double, _ y: Double) {
    body.append(
      "<text transform=\"translate(\(n(x)) \(n(y))) rotate(-90)\" font-size=\"12\" text-anchor=\"middle\""
        + " fill=\"#5b6670\">\(Self.escaped(text))</text>")
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: String, width: Double = 1, dashes: String? = nil
  ) {
    body.append(
      "<line x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\" stroke=\"\(color)\" stroke-width=\"\(n(width))\""
        + (dashes.map { " stroke-dasharray=\"\($0)\"" } ?? "") + "/>")
  }

  mutating func path(_ points: [(x: Double, y: Double)], color: String, width: Double, dashes: String? = nil) {
    guard let first = points.first else { return }
    let rest = points.dropFirst().map { "L\(n($0.x)) \(n($0.y))" }.joined()
    body.append(
      "<path d=\"M\(n(first.x)) \(n(first.y))\(rest)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"\(n(width))\""
        + " stroke-linejoin=\"round\"" + (dashes.map { " stroke-dasharray=\"\($0)\"" } ?? "") + "/>")
  }

  mutating func dot(_ x: Double, _ y: Double, radius: Double, color: String) {
    body.append(
      "<circle cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\" fill=\"\(color)\" stroke=\"#ffffff\" stroke-width=\"1.5\"/>"
    )
  }

  var svg: String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(n(width)) \(n(height))" width="\(n(width))" height="\(n(height))" \
    font-family="Inter, 'Helvetica Neue', Helvetica, 'DejaVu Sans', Arial, sans-serif">
    <rect width="100%" height="100%" fill="#ffffff"/>
    \(body.joined(separator: "\n"))
    </svg>

    """
  }

  private func n(_ value: Double) -> String {
    let text = value.fixedText(places: 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for character in text {
      switch character {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      default: out.append(character)
      }
    }
    return out
  }
}
