import EngineContract
import Foundation

/// One row of the table: several runs of the same work.
struct BenchRow {
    enum Kind: Equatable {
        case prefill(tokens: Int)
        case decode(sessions: Int, context: Int)
    }

    struct Run {
        /// Tokens of all sessions together.
        var tokens: Int
        /// Seconds of each step; for a prefill, of all its steps together.
        var steps: [Double]
        var times = StepTimes()

        var tokensPerSecond: Double { Double(tokens) / max(steps.reduce(0, +), 1e-9) }
    }

    let kind: Kind
    var runs: [Run] = []
    /// Why the row was skipped.
    var skipped: String?

    init(_ kind: Kind, skipped: String? = nil) {
        self.kind = kind
        self.skipped = skipped
    }

    var tokensPerSecond: Double { Self.median(runs.map(\.tokensPerSecond)) }
    var slowest: Double { runs.map(\.tokensPerSecond).min() ?? 0 }
    var fastest: Double { runs.map(\.tokensPerSecond).max() ?? 0 }

    /// The median step of all runs; nil for a prefill.
    var millisecondsPerStep: Double? {
        guard case .decode = kind else { return nil }
        return 1000 * Self.median(runs.flatMap(\.steps))
    }

    /// The share of each kind of work in the time of all runs, without those that took none.
    var shares: [String: Double] {
        let times = runs.reduce(StepTimes()) { $0 + $1.times }
        let total = max(times.total, 1e-9)
        return Dictionary(uniqueKeysWithValues: times.parts.filter { $0.value > 0 }.map { ($0.key, $0.value / total) })
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}

extension BenchRow {
    /// The heading of the columns of `line`.
    static let heading =
        "  " + cells("", "tok/s in all", "spread", "ms per step")

    /// The row as text.
    var line: String {
        if let skipped { return "  " + Self.cells(name, "-") + "  left out: " + skipped }
        let spread = "\(Self.number(slowest)) – \(Self.number(fastest))"
        return "  " + Self.cells(name, Self.number(tokensPerSecond), spread, millisecondsPerStep.map(Self.number) ?? "")
    }

    /// The shares of the time, the largest first.
    var profile: String {
        let shares = shares.sorted { $0.value > $1.value }.map { String(format: "%@ %.1f %%", $0.key, 100 * $0.value) }
        return "    " + shares.joined(separator: ", ")
    }

    private var name: String {
        switch kind {
        case .prefill(let tokens): "prefill of \(Format.count(tokens)) tokens"
        case .decode(let sessions, let context):
            "decode, \(sessions) \(sessions == 1 ? "session" : "sessions") at \(Format.count(context))"
        }
    }

    private static func cells(_ name: String, _ figures: String...) -> String {
        let columns = zip(figures, [14, 20, 14]).map { text, width in
            String(repeating: " ", count: max(1, width - text.count)) + text
        }
        let text = name.padding(toLength: max(32, name.count), withPad: " ", startingAt: 0) + columns.joined()
        return text.replacing(#/\ +$/#, with: "")
    }

    /// Three significant digits where there are that many.
    private static func number(_ value: Double) -> String {
        String(format: value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value)
    }
}
