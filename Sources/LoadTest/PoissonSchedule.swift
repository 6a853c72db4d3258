import Foundation

/// The moments of a Poisson process: arrivals that know nothing of each other, as those of many independent clients.
package struct PoissonSchedule: Sequence, IteratorProtocol, Sendable {
    private let rate: Double
    private var generator: SeededGenerator
    private var moment = 0.0

    /// - Parameter rate: arrivals per second in the mean.
    package init(rate: Double, seed: UInt64) {
        self.rate = rate
        generator = SeededGenerator(seed: seed)
    }

    /// Seconds from the beginning to the next arrival. The gaps between arrivals are distributed exponentially.
    package mutating func next() -> Double? {
        moment -= log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &generator)) / rate
        return moment
    }
}
