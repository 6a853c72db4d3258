import Foundation

/// Maps figures to places along an axis, and chooses round figures to mark there.
struct Scale: Sendable {
    let low: Double
    let high: Double
    /// The places of `low` and `high`.
    let from: Double
    let to: Double

    init(_ low: Double, _ high: Double, from: Double, to: Double) {
        self.low = low
        // Where all figures are the same, they still need a place.
        self.high = high > low ? high : low + 1
        self.from = from
        self.to = to
    }

    /// From zero to a round figure that holds `most`, so that the highest mark is above all values.
    static func rounded(upTo most: Double, from: Double, to: Double) -> Scale {
        let step = Scale(0, most, from: from, to: to).step(4)
        return Scale(0, (most / step - 1e-9).rounded(.up) * step, from: from, to: to)
    }

    func place(_ value: Double) -> Double { from + (value - low) / (high - low) * (to - from) }

    /// Round figures within the scale, about so many.
    func ticks(_ wanted: Int) -> [Double] {
        let step = step(wanted)
        let first = (low / step).rounded(.up)
        let last = (high / step + 1e-9).rounded(.down)
        guard first.isFinite, last.isFinite, last - first < 1000 else { return [] }
        return stride(from: first, through: last, by: 1).map { $0 * step }
    }

    /// The next of 1, 2, 5, 10 … that divides the scale into no more parts than wanted.
    private func step(_ wanted: Int) -> Double {
        let rough = (high - low) / Double(max(1, wanted))
        let power = pow(10, floor(log10(rough)))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.99 } ?? power * 10
    }

    /// A figure in as few digits as tell the ticks apart.
    static func text(_ value: Double) -> String {
        switch abs(value) {
        case 0: "0"
        case 100_000...: String(format: "%.3gk", value / 1000)
        case 100...: String(format: "%.0f", value)
        default: String(format: "%.3g", value)
        }
    }
}
