import APIClient

/// Mean, percentiles and maximum of a set of values.
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

    /// The smallest value that is not exceeded by at least this share of the values (nearest-rank percentile).
    package static func percentile(_ sorted: [Double], _ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        // The tolerance absorbs the rounding of shares such as 0.99.
        let rank = Int((share * Double(sorted.count) - 1e-9).rounded(.up))
        return sorted[Swift.min(Swift.max(rank, 1), sorted.count) - 1]
    }
}

/// A test's throughput and concurrency over time, in equal intervals; the last one includes the remainder.
package struct Timeline: Sendable, Codable, Equatable {
    private static let maxIntervals = 80

    /// The length of an interval in seconds, a round number.
    package var interval: Double
    /// Output tokens per second in each interval.
    package var tokensPerSecond: [Double]
    /// The mean number of requests in flight in each interval.
    package var active: [Double]

    /// - Parameter seconds: the duration of the test, which began at `start` in the samples' time.
    package init(_ samples: [RequestSample], start: Double, seconds: Double) {
        let parts = Intervals(length: Self.interval(for: seconds), seconds: seconds)
        var tokens = [Double](repeating: 0, count: parts.count)
        var active = tokens
        for sample in samples {
            // A server may put several tokens into one event.
            let pieces = sample.answer.deltaTimes
            let weight = max(1, Double(sample.answer.outputTokens) / Double(max(1, pieces.count)))
            for time in pieces { tokens[parts.index(of: time - start)] += weight }
            let (begin, end) = (sample.start - start, max(sample.start, sample.end) - start)
            for index in parts.index(of: begin)...parts.index(of: end) {
                active[index] += max(0, min(end, parts.end(of: index)) - max(begin, parts.begin(of: index)))
            }
        }
        let lengths = (0..<parts.count).map { max(1e-9, parts.end(of: $0) - parts.begin(of: $0)) }
        interval = parts.length
        tokensPerSecond = zip(tokens, lengths).map { $0 / $1 }
        self.active = zip(active, lengths).map { $0 / $1 }
    }

    /// The shortest round length that gives at most `maxIntervals`.
    private static func interval(for seconds: Double) -> Double {
        var power = 0.01
        while power < 1e9 {
            for step in [1.0, 2, 5] where seconds / (power * step) <= Double(maxIntervals) { return power * step }
            power *= 10
        }
        return power
    }

    private struct Intervals {
        let length: Double
        let seconds: Double
        let count: Int

        init(length: Double, seconds: Double) {
            self.length = length
            self.seconds = seconds
            // A remainder shorter than half an interval is added to the last: a rate over a short time means little.
            count = max(1, Int((seconds / length).rounded()))
        }

        func index(of time: Double) -> Int { min(count - 1, max(0, Int(time / length))) }
        func begin(of index: Int) -> Double { Double(index) * length }
        func end(of index: Int) -> Double { index == count - 1 ? seconds : Double(index + 1) * length }
    }
}
