import Testing

@testable import LoadTest

@Suite struct DistributionTests {
    @Test("Percentiles are nearest-rank, as calculated by hand")
    func percentiles() {
        // 15, 20, 35, 40, 50: the 50th percentile is the third of five, the 90th and 99th the fifth.
        #expect(
            Distribution([40, 15, 50, 20, 35]) == Distribution(count: 5, mean: 32, p50: 35, p90: 50, p99: 50, max: 50)
        )
        let hundred = Distribution((1...100).reversed().map(Double.init))
        #expect(hundred == Distribution(count: 100, mean: 50.5, p50: 50, p90: 90, p99: 99, max: 100))
        // Ranks 100, 180 and 198 of 200; 0.99 × 200 is not exact in binary.
        let twoHundred = Distribution((1...200).map(Double.init))
        #expect(twoHundred == Distribution(count: 200, mean: 100.5, p50: 100, p90: 180, p99: 198, max: 200))
        #expect(Distribution([7]) == Distribution(count: 1, mean: 7, p50: 7, p90: 7, p99: 7, max: 7))
        #expect(Distribution([]) == Distribution(count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0))
    }
}

@Suite struct TimelineTests {
    @Test("Throughput and active requests over time are as calculated by hand")
    func course() throws {
        // Two requests in three seconds: one from 0 to 2, one from 1.5 to 3.
        let samples = [
            try RequestSample.make(from: 10, to: 12, pieces: [10.5, 10.6, 11.5], tokens: 3),
            // Four tokens in two events.
            try RequestSample.make(from: 11.5, to: 13, pieces: [12.25, 12.75], tokens: 4),
        ]
        let line = Timeline(samples, start: 10, seconds: 3)
        #expect(line.interval == 0.05)
        #expect(line.tokensPerSecond.count == 60)
        func mean(_ values: [Double], _ from: Int, _ to: Int) -> Double {
            values[from..<to].reduce(0, +) / Double(to - from)
        }
        #expect(abs(mean(line.tokensPerSecond, 0, 20) - 2) < 1e-9)
        #expect(abs(mean(line.tokensPerSecond, 20, 40) - 1) < 1e-9)
        #expect(abs(mean(line.tokensPerSecond, 40, 60) - 4) < 1e-9)
        #expect(abs(mean(line.active, 0, 30) - 1) < 1e-9)
        #expect(abs(mean(line.active, 30, 40) - 2) < 1e-9)
        #expect(abs(mean(line.active, 40, 60) - 1) < 1e-9)
    }

    @Test(
        "However long a test takes, its course has few intervals and covers all of it",
        arguments: [0, 0.004, 1, 77.7, 1e6]
    )
    func intervals(_ seconds: Double) throws {
        let line = Timeline([try .make(from: 0, to: seconds, pieces: [seconds], tokens: 1)], start: 0, seconds: seconds)
        #expect((1...80).contains(line.active.count))
        #expect(line.tokensPerSecond.last ?? 0 > 0)
        if seconds > 0 { #expect(line.active.allSatisfy { abs($0 - 1) < 1e-6 }) }
    }
}
