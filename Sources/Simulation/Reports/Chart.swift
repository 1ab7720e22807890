import Decisions

/// A simulation as a picture: replicas and held requests over time, and what waiting costs to avoid.
public struct Chart {
  private let result: SimulationResult
  private let reports: [PolicyReport]
  private let courses: [[(seconds: Double, replicas: Double, held: Double)]]

  private static let (width, height) = (960.0, 940.0)
  private static let (left, right) = (76.0, 930.0)
  /// Okabe and Ito's colours, told apart by most who do not see all: https://jfly.uni-koeln.de/color/
  private static let colors = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5fb5", "#8c8c8c", "#222222",
  ]

  /// - Parameter result: of settings that keep a timeline.
  public init(_ result: SimulationResult) {
    self.result = result
    reports = result.reports
    courses = result.outcomes.map { Self.thinned($0.timeline?.averages(until: result.end) ?? []) }
  }

  public var svg: String {
    var canvas = ChartCanvas(width: Self.width, height: Self.height)
    canvas.text("What each policy does with the same requests", Self.left, 34, size: 19, color: "#1c242b", isBold: true)
    let models = result.outcomes.first?.models.count { $0.requests > 0 } ?? 0
    canvas.text(
      "\(ChartAxis.plainText(Double(result.requests))) requests of \(models) \(models == 1 ? "model" : "models") in "
        + Duration.seconds(result.seconds.rounded()).shortText, Self.left, 55, size: 13, color: "#5b6670")
    drawLegend(&canvas, y: 80)
    drawCourse(&canvas, title: "Replicas", unit: "replicas", top: 128, bottom: 340) { $0.replicas }
    drawCourse(&canvas, title: "Held requests", unit: "requests", top: 406, bottom: 560) { $0.held }
    drawFrontier(&canvas, top: 640, bottom: 880)
    return canvas.svg
  }

  private func color(_ index: Int) -> String { Self.colors[index % Self.colors.count] }

  private func drawLegend(_ canvas: inout ChartCanvas, y: Double) {
    var x = Self.left
    for (index, report) in reports.enumerated() {
      canvas.line(x, y - 4, x + 20, y - 4, color: color(index), width: 3)
      canvas.text(report.policy, x + 26, y)
      x += 26 + Double(report.policy.count) * 7.2 + 22
    }
  }

  // MARK: Over time

  private func drawCourse(
    _ canvas: inout ChartCanvas, title: String, unit: String, top: Double, bottom: Double,
    _ value: ((seconds: Double, replicas: Double, held: Double)) -> Double
  ) {
    let most = courses.flatMap { $0.map(value) }.max() ?? 0
    let (divisor, timeUnit) = Self.timeUnit(result.seconds)
    let time = ChartAxis(from: 0, to: max(result.seconds, 1) / divisor, pixels: Self.left, Self.right, marks: 8)
    let amount = ChartAxis(from: 0, to: max(most * 1.05, 1), pixels: bottom, top, marks: 4)
    drawFrame(&canvas, title: title, side: unit, time, amount, top: top, bottom: bottom)
    canvas.text("time since the first request (\(timeUnit))", Self.right, bottom + 34, anchor: .end, color: "#5b6670")
    // The first policies are drawn last: they are the ones that the reader named first.
    for index in courses.indices.reversed() {
      let points = courses[index].flatMap { point in
        [(x: time.pixel(point.seconds / divisor), y: amount.pixel(value(point)))]
      }
      canvas.path(points, color: color(index), width: index == 0 ? 2 : 1.4)
    }
  }

  private func drawFrame(
    _ canvas: inout ChartCanvas, title: String, side: String, _ horizontal: ChartAxis, _ vertical: ChartAxis,
    top: Double, bottom: Double
  ) {
    canvas.text(title, Self.left, top - 12, size: 14, color: "#1c242b", isBold: true)
    canvas.sideText(side, 20, (top + bottom) / 2)
    for mark in vertical.marks {
      canvas.line(Self.left, mark.position, Self.right, mark.position, color: "#e6eaed")
      canvas.text(mark.text, Self.left - 8, mark.position + 4, size: 11, anchor: .end, color: "#5b6670")
    }
    for mark in horizontal.marks {
      canvas.line(mark.position, bottom, mark.position, bottom + 5, color: "#9aa4ad")
      canvas.text(mark.text, mark.position, bottom + 18, size: 11, anchor: .middle, color: "#5b6670")
    }
    canvas.line(Self.left, bottom, Self.right, bottom, color: "#9aa4ad")
  }

  private static func timeUnit(_ seconds: Double) -> (divisor: Double, name: String) {
    if seconds > 4 * 86_400 { return (86_400, "days") }
    if seconds > 3 * 3600 { return (3600, "hours") }
    return seconds > 600 ? (60, "minutes") : (1, "seconds")
  }

  /// At most as many points as can be seen, each the average of what it stands for.
  private static func thinned(
    _ course: [(seconds: Double, replicas: Double, held: Double)]
  ) -> [(seconds: Double, replicas: Double, held: Double)] {
    let step = max(1, (course.count + 399) / 400)
    guard step > 1 else { return course }
    return stride(from: 0, to: course.count, by: step).map { start in
      let part = course[start..<min(start + step, course.count)]
      let count = Double(part.count)
      return (
        part[start].seconds, part.reduce(0) { $0 + $1.replicas } / count, part.reduce(0) { $0 + $1.held } / count
      )
    }
  }

  // MARK: Cost against waiting

  private func drawFrontier(_ canvas: inout ChartCanvas, top: Double, bottom: Double) {
    let hours = reports.map(\.replicaHours).filter { $0 > 0 }
    guard let least = hours.min(), let most = hours.max() else { return }
    let horizontal = ChartAxis(
      from: most / least > 6 ? least : 0, to: most > least ? most : least * 1.2, pixels: Self.left, Self.right - 70,
      marks: 7, isLogarithmic: most / least > 6)
    let waiting = reports.map { $0.waitingShare * 100 }.max() ?? 0
    let vertical = ChartAxis(from: 0, to: max(waiting * 1.15, 0.1), pixels: bottom, top, marks: 4) {
      ChartAxis.plainText($0) + "%"
    }
    drawFrame(
      &canvas, title: "Cost against waiting: lower left is better", side: "requests that wait", horizontal, vertical,
      top: top, bottom: bottom)
    canvas.text("replica-hours", Self.right, bottom + 34, anchor: .end, color: "#5b6670")
    let places = reports.map { (x: horizontal.pixel($0.replicaHours), y: vertical.pixel($0.waitingShare * 100)) }
    canvas.path(Self.frontier(places), color: "#b9c2c9", width: 1.5, dashes: "5 4")
    var taken: [(x: Double, y: Double)] = []
    for (index, place) in places.enumerated() {
      canvas.dot(place.x, place.y, radius: 6, color: color(index))
      var y = place.y - 9
      while taken.contains(where: { abs($0.x - place.x) < 130 && abs($0.y - y) < 14 }) { y -= 14 }
      taken.append((place.x, y))
      canvas.text(reports[index].policy, place.x + 5, y, color: color(index), isBold: index == 0)
    }
  }

  /// Through the policies that no other beats in both: from the cheapest on, each with less waiting than all before.
  private static func frontier(_ places: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    var line: [(x: Double, y: Double)] = []
    // Pixels grow downwards: less waiting is a larger y.
    for place in places.sorted(by: { ($0.x, -$0.y) < ($1.x, -$1.y) }) where place.y > line.last?.y ?? -1 {
      line.append(place)
    }
    return line
  }
}
