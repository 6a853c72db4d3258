import Foundation

/// The figures as a table for people and as JSON for programs.
package enum Report {
    package static func table(_ results: Results, _ options: LoadOptions) -> String {
        var lines = [
            String(
                format: "%d requests in %.2f s: %d answered, %d failed, %d left on purpose",
                results.requests,
                results.seconds,
                results.answered,
                results.errors.values.reduce(0, +),
                results.aborted
            ),
            String(
                format: "%.2f requests/s, %.1f output tokens/s; %d tokens in (%d from the prefix cache), %d out",
                results.requestsPerSecond,
                results.outputTokensPerSecond,
                results.inputTokens,
                results.cachedTokens,
                results.outputTokens
            ),
            "",
            "milliseconds                mean        p50        p90        p99        max",
            row("time to first token", results.timeToFirstToken),
            row("inter-token latency", results.interTokenLatency),
            row("end to end", results.endToEnd),
        ]
        if let goodput = results.goodputPerSecond {
            lines += ["", String(format: "goodput: %.2f requests/s", goodput)]
        }
        for (kind, count) in results.errors.sorted(by: { $0.key < $1.key }) {
            lines.append("error: \(count) × \(kind)")
        }
        if let verification = results.verification { lines += ["", text(verification)] + verification.examples }
        return lines.joined(separator: "\n")
    }

    package static func json(_ results: Results) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(results), as: UTF8.self)
    }

    static func text(_ verification: Results.Verification) -> String {
        "verified: \(verification.wrong) of \(verification.judged) answers wrong; \(verification.differing) of "
            + "\(verification.compared) differ from the same question's other answers "
            + "(\(verification.repeatedAlone) asked again alone)"
    }

    private static func row(_ name: String, _ values: Distribution) -> String {
        let figures = [values.mean, values.p50, values.p90, values.p99, values.max]
            .map { String(format: "%11.2f", $0 * 1000) }.joined()
        return name.padding(toLength: 21, withPad: " ", startingAt: 0) + figures
    }
}
