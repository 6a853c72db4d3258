/// Mean, percentiles and maximum of a set of measurements.
package struct Distribution: Sendable, Codable, Equatable {
    package var count: Int
    package var mean: Double
    package var p50: Double
    package var p90: Double
    package var p99: Double
    package var max: Double
}

extension Distribution {
    package init(_ values: [Double]) {
        let sorted = values.sorted()
        self.init(
            count: sorted.count,
            mean: sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count),
            p50: Self.percentile(sorted, 0.50),
            p90: Self.percentile(sorted, 0.90),
            p99: Self.percentile(sorted, 0.99),
            max: sorted.last ?? 0
        )
    }

    /// The smallest value that at least this share of the values does not exceed (nearest rank).
    package static func percentile(_ sorted: [Double], _ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        // What a share such as 0.99 lacks or has too much in binary must not move the rank.
        let rank = Int((share * Double(sorted.count) - 1e-9).rounded(.up))
        return sorted[Swift.min(Swift.max(rank, 1), sorted.count) - 1]
    }
}
