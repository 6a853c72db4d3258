import Testing

@testable import Scheduling

@Suite struct TokenRateTests {
    @Test("The rate is that of the last seconds, and nothing when these have passed")
    func rate() {
        let start = ContinuousClock.now
        var rate = TokenRate()
        #expect(rate.perSecond(at: start) == 0)
        for step in 0..<40 { rate.add(5, at: start + .milliseconds(100 * step)) }
        #expect(abs(rate.perSecond(at: start + .milliseconds(4000)) - 50) < 3)
        #expect(rate.perSecond(at: start + .milliseconds(7000)) < 50)
        for seconds in [10, 60, 86_400] { #expect(rate.perSecond(at: start + .seconds(seconds)) == 0) }
        rate.add(20, at: start + .seconds(100))
        #expect(rate.perSecond(at: start + .seconds(101)) > 10)
    }
}
