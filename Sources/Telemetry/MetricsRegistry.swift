import Synchronization

/// Makes metrics by name and prints them all in the Prometheus text format, version 0.0.4.
public final class MetricsRegistry: Sendable {
  private enum Metric: Sendable {
    case counter(Counter)
    case gauge(Gauge)
    case histogram(Histogram)
  }

  /// `Content-Type` of ``render()``.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private let metrics = Mutex<[String: Metric]>([:])
  private let seriesLimit: Int

  /// - Parameter seriesLimit: label combinations per metric; what comes after shares one series labelled `other`.
  public init(seriesLimit: Int = 5000) { self.seriesLimit = max(1, seriesLimit) }

  /// The counter of that name, made on first use. The name of another kind of metric is a programming error.
  public func counter(_ name: String, help: String, labels: [String] = []) -> Counter {
    metrics.withLock { metrics in
      switch metrics[name] {
      case .counter(let counter): return counter
      case nil:
        let counter = Counter(name: name, help: help, labels: labels, limit: seriesLimit)
        metrics[name] = .counter(counter)
        return counter
      default: preconditionFailure("metric \(name) is no counter")
      }
    }
  }

  /// The gauge of that name, made on first use. The name of another kind of metric is a programming error.
  public func gauge(_ name: String, help: String, labels: [String] = []) -> Gauge {
    metrics.withLock { metrics in
      switch metrics[name] {
      case .gauge(let gauge): return gauge
      case nil:
        let gauge = Gauge(name: name, help: help, labels: labels, limit: seriesLimit)
        metrics[name] = .gauge(gauge)
        return gauge
      default: preconditionFailure("metric \(name) is no gauge")
      }
    }
  }

  /// The histogram of that name, made on first use. The name of another kind of metric is a programming error.
  public func histogram(
    _ name: String, help: String, labels: [String] = [], buckets: [Double] = Histogram.latencyBuckets
  ) -> Histogram {
    metrics.withLock { metrics in
      switch metrics[name] {
      case .histogram(let histogram): return histogram
      case nil:
        let histogram = Histogram(name: name, help: help, labels: labels, buckets: buckets, limit: seriesLimit)
        metrics[name] = .histogram(histogram)
        return histogram
      default: preconditionFailure("metric \(name) is no histogram")
      }
    }
  }

  /// Everything, sorted by metric name and label values.
  public func render() -> String {
    var text = ""
    for (_, metric) in metrics.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      switch metric {
      case .counter(let counter):
        PrometheusText.header(counter.table.name, counter.table.help, "counter", to: &text)
        for (values, series) in counter.table.sorted {
          PrometheusText.sample(counter.table.name, counter.table.labelNames, values, series.value, to: &text)
        }
      case .gauge(let gauge):
        PrometheusText.header(gauge.table.name, gauge.table.help, "gauge", to: &text)
        for (values, series) in gauge.table.sorted {
          PrometheusText.sample(gauge.table.name, gauge.table.labelNames, values, series.value, to: &text)
        }
      case .histogram(let histogram): PrometheusText.histogram(histogram, to: &text)
      }
    }
    return text
  }
}
