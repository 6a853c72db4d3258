import APIClient
import Console
import Foundation

/// The results as a text table and as JSON.
package enum Report {
    package static func table(_ test: LoadTest.Record, _ options: LoadOptions) -> String {
        let results = test.results
        var lines = [
            "\(options.target.description), model \(options.model.printable(upTo: 60)), \(settings(options))",
            "",
            headline(test),
            String(
                format:
                    "%.2f requests/s, %.1f output tokens/s; %d tokens in (%d of them from the prefix cache), %d out",
                results.requestsPerSecond,
                results.outputTokensPerSecond,
                results.inputTokensTotal,
                results.cachedTokensTotal,
                results.outputTokensTotal
            ),
            "",
            String(repeating: " ", count: 24) + ["mean", "p50", "p90", "p99", "max"].map { padded($0) }.joined(),
            row("time to first token", results.timeToFirstToken, "ms"),
            row("inter-token latency", results.interTokenLatency, "ms"),
            row("end to end", results.endToEnd, "ms"),
            row("prompt", results.promptTokens, "tokens"),
            row("answer", results.outputTokens, "tokens"),
        ]
        if let goodput = results.goodput { lines += ["", text(goodput)] }
        if !results.errors.isEmpty { lines += ["", "errors"] }
        for (kind, failure) in results.errors.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
            let example = failure.example.map { ": \"\($0.printable)\"" } ?? ""
            lines.append("  \(failure.count) × \(kind)\(example)")
        }
        if let verification = results.verification { lines += [""] + text(verification) }
        return lines.joined(separator: "\n")
    }

    /// The load settings in words.
    static func settings(_ options: LoadOptions) -> String {
        let pace =
            switch options.pace {
            case .concurrency(let clients): "\(clients) \(clients == 1 ? "client" : "clients") at once"
            case .rate(let rate): "\(plain(rate)) requests/s (Poisson)"
            }
        let prefix = options.sharedPrefix > 0 ? ", \(options.sharedPrefix) prompt tokens shared" : ""
        return "\(pace), at most \(options.maxTokens) tokens an answer\(prefix)"
    }

    static func headline(_ test: LoadTest.Record) -> String {
        let results = test.results
        var parts = ["\(results.answered) answered", "\(results.failed) failed"]
        if results.aborted > 0 { parts.append("\(results.aborted) left on purpose") }
        if results.interrupted > 0 { parts.append("\(results.interrupted) cut off at the end") }
        let end = test.isInterrupted ? " (interrupted)" : ""
        return String(format: "%d requests in %.2f s%@: ", results.requests, results.seconds, end)
            + parts.joined(separator: ", ")
    }

    static func text(_ goodput: Results.Goodput) -> String {
        let goals = [
            goodput.goals.timeToFirstToken.map { "first token within \(plain($0 * 1000)) ms" },
            goodput.goals.interTokenLatency.map { "mean inter-token latency within \(plain($0 * 1000)) ms" },
            goodput.goals.endToEnd.map { "complete within \(plain($0 * 1000)) ms" },
        ]
        return String(
            format: "goodput: %.2f requests/s, %.1f %% of answers: ",
            goodput.requestsPerSecond,
            goodput.share * 100
        )
            + goals.compactMap { $0 }.joined(separator: ", ")
    }

    // MARK: Verification

    static func text(_ verification: Verification) -> [String] {
        let families = verification.families.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.wrong) of \($0.value.judged)" }.joined(separator: ", ")
        var lines = [
            "verification of \(verification.questions) questions, \(verification.repeatedAlone) of them asked again alone",
            "  wrong      \(verification.wrong) of \(verification.judged) replies with a known answer"
                + (families.isEmpty ? "" : " (\(families))"),
            "  differing  \(verification.differing) of \(verification.compared) replies that the same question got",
        ]
        if verification.withTools > 0 {
            lines.append(
                "  invalid    \(verification.invalid) of \(verification.withTools) replies to questions with tools"
            )
        }
        for fault in verification.cases { lines += [""] + text(fault) }
        return lines
    }

    private static func text(_ fault: Verification.Case) -> [String] {
        let kinds = [
            fault.differing > 0 ? "DIFFERING" : nil, fault.invalid > 0 ? "INVALID" : nil,
            fault.wrong > 0 ? "WRONG" : nil,
            fault.differing == 0 ? "(the same every time)" : nil,
        ]
        let expected = fault.expected.map { ", known answer \($0)" } ?? ""
        let head = "  \(kinds.compactMap { $0 }.joined(separator: " ")): \(fault.question.printable)\(expected)"
        return [head]
            + fault.replies.map { reply in
                let times = [
                    reply.together > 0 ? "\(reply.together) × under load" : nil,
                    reply.alone > 0 ? "\(reply.alone) × alone" : nil,
                ]
                return "    \(times.compactMap { $0 }.joined(separator: ", ")): \"\(reply.text.printable)\""
            }
    }

    // MARK: JSON

    private struct Document: Encodable {
        var address: String
        var model: String
        var load: String
        var started: String
        var isInterrupted: Bool
        var isGood: Bool
        var results: Results
    }

    package static func json(_ test: LoadTest.Record, _ options: LoadOptions) throws -> String {
        let document = Document(
            address: options.target.description,
            model: options.model,
            load: settings(options),
            started: test.started.formatted(.iso8601),
            isInterrupted: test.isInterrupted,
            isGood: test.results.isGood,
            results: test.results
        )
        return try prettyJSON(document)
    }

    // MARK: Figures

    private static func row(_ name: String, _ values: Distribution, _ unit: String) -> String {
        let isTime = unit == "ms"
        let figures = [values.mean, values.p50, values.p90, values.p99, values.max]
            .map { values.count == 0 ? "-" : String(format: isTime ? "%.2f" : "%.0f", isTime ? $0 * 1000 : $0) }
            .map(padded).joined()
        return "\(name), \(unit)".padding(toLength: 24, withPad: " ", startingAt: 0) + figures
    }

    private static func padded(_ text: String) -> String {
        String(repeating: " ", count: max(1, 11 - text.count)) + text
    }

    static func plain(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : String(format: "%.3g", value)
    }
}
