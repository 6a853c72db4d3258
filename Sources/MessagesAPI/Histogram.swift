/// Counts of observed values by upper bound, as Prometheus wants them.
struct Histogram: Sendable, Equatable {
    private let bounds: [Double]
    /// One for each bound, and one for what lies above them all.
    private var counts: [Int]
    private var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    mutating func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }

    /// The sample lines: cumulative buckets, sum and count.
    func lines(_ name: String) -> String {
        var result = ""
        var total = 0
        for (bound, count) in zip(bounds, counts) {
            total += count
            result += "\(name)_bucket{le=\"\(bound)\"} \(total)\n"
        }
        total += counts.last ?? 0
        return result + "\(name)_bucket{le=\"+Inf\"} \(total)\n\(name)_sum \(sum)\n\(name)_count \(total)\n"
    }

    /// From a millisecond to minutes.
    static let latencyBounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
    ]
    static let sizeBounds: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
}
