import Testing

@testable import MessagesAPI

@Suite("A histogram") struct HistogramTests {
    @Test("Counts a value in the first bucket whose bound it does not exceed, and buckets are cumulative")
    func buckets() {
        var histogram = Histogram(bounds: [1, 2, 4])
        for value in [0.5, 1, 1.5, 2, 4, 4.5] { histogram.observe(value) }
        #expect(
            histogram.lines("x") == """
                x_bucket{le="1.0"} 2
                x_bucket{le="2.0"} 4
                x_bucket{le="4.0"} 5
                x_bucket{le="+Inf"} 6
                x_sum 13.5
                x_count 6

                """
        )
    }
}
