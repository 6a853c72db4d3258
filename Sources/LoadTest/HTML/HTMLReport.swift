import APIClient
import Console
import Foundation

/// The figures as one page without outside resources: tables, distributions, and the course of the test.
package enum HTMLReport {
    package static func page(_ test: LoadTest.Record, _ options: LoadOptions) -> String {
        let results = test.results
        return """
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Load test of \(escape(options.target.description))</title>
            <style>\(style)</style>
            <main>
            <header><h1>Load test</h1>\(verdict(test))
            <p>\(escape(options.target.description)) · model \(escape(options.model)) · \(escape(Report.settings(options)))</p>
            <p class="faint">\(escape(test.started.formatted(.iso8601))) · \(escape(Report.headline(test)))</p></header>
            <section class="tiles">\(tiles(results))</section>
            \(errors(results))
            \(results.verification.map(verification) ?? "")
            <section class="plots">\(plots(test).map(\.html).joined(separator: "\n"))</section>
            <section class="card">\(table(results))</section>
            </main>
            </html>

            """
    }

    package static func escape(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
            .replacingOccurrences(of: "'", with: "&#39;")
    }

    // MARK: Head

    private static func verdict(_ test: LoadTest.Record) -> String {
        let results = test.results
        var faults: [String] = []
        if results.failed > 0 { faults.append("\(results.failed) failed") }
        if let verification = results.verification {
            if verification.wrong > 0 { faults.append("\(verification.wrong) wrong") }
            if verification.differing > 0 { faults.append("\(verification.differing) differing") }
        }
        if faults.isEmpty, !results.isGood { faults.append("no answers") }
        let end = test.isInterrupted ? "<span class=\"pill\">interrupted</span>" : ""
        guard faults.isEmpty else { return "<span class=\"pill bad\">\(faults.joined(separator: ", "))</span>" + end }
        let text = results.verification == nil ? "no errors" : "no errors, all replies right and the same"
        return "<span class=\"pill good\">\(text)</span>" + end
    }

    private static func tiles(_ results: Results) -> String {
        var tiles = [
            ("Requests per second", Scale.text(results.requestsPerSecond), "\(results.answered) answered"),
            (
                "Output tokens per second", Scale.text(results.outputTokensPerSecond),
                "\(results.outputTokensTotal) tokens"
            ),
            tile("Time to first token", results.timeToFirstToken),
            tile("Inter-token latency", results.interTokenLatency),
            tile("End to end", results.endToEnd),
        ]
        if let goodput = results.goodput {
            let share = String(format: "%.1f %% within the limits", goodput.share * 100)
            tiles.append(("Good requests per second", Scale.text(goodput.requestsPerSecond), share))
        }
        return tiles.map { name, figure, note in
            "<div class=\"card\"><span>\(name)</span><strong>\(figure)</strong><span class=\"faint\">\(note)</span></div>"
        }.joined()
    }

    private static func tile(_ name: String, _ values: Distribution) -> (String, String, String) {
        (name, Scale.text(values.p50 * 1000) + " <small>ms</small>", "median; p99 \(Scale.text(values.p99 * 1000)) ms")
    }

    // MARK: Plots

    private static func plots(_ test: LoadTest.Record) -> [Chart] {
        let results = test.results
        let good = test.exchanges.filter { $0.outcome == .answered }
        let start = test.exchanges.map(\.start).min() ?? 0
        let failures = test.exchanges.filter { if case .failed = $0.outcome { true } else { false } }
        let line = results.timeline
        let interval = "mean of each \(Report.plain(line.interval)) s"
        return [
            Chart.course(
                "Output tokens per second",
                note: interval,
                style: "tokens",
                line.tokensPerSecond,
                interval: line.interval,
                seconds: results.seconds
            ),
            Chart.course(
                "Active sessions",
                note: "requests in flight, " + interval,
                style: "sessions",
                line.active,
                interval: line.interval,
                seconds: results.seconds
            ),
            Chart.histogram("Time to first token", unit: "ms", good.compactMap(\.timeToFirstToken).map { $0 * 1000 }),
            Chart.histogram("Inter-token latency", unit: "ms", good.flatMap(\.interTokenLatencies).map { $0 * 1000 }),
            Chart.histogram("End to end", unit: "ms", good.map { $0.duration * 1000 }),
            Chart.dots(
                "Time to first token over the test",
                unit: "ms",
                good.compactMap { exchange in exchange.timeToFirstToken.map { (exchange.start - start, $0 * 1000) } },
                failures: failures.map { $0.start - start }
            ),
        ]
    }

    // MARK: Tables

    private static func table(_ results: Results) -> String {
        let rows: [(String, Distribution, Double)] = [
            ("Time to first token, ms", results.timeToFirstToken, 1000),
            ("Inter-token latency, ms", results.interTokenLatency, 1000),
            ("End to end, ms", results.endToEnd, 1000), ("Prompt, tokens", results.promptTokens, 1),
            ("Answer, tokens", results.outputTokens, 1),
        ]
        let body = rows.map { name, values, factor in
            let figures = [values.mean, values.p50, values.p90, values.p99, values.max]
                .map { "<td>" + String(format: factor == 1 ? "%.0f" : "%.2f", $0 * factor) + "</td>" }.joined()
            return "<tr><th scope=\"row\">\(name)</th>\(figures)</tr>"
        }
        let cached =
            "Of \(results.inputTokensTotal) prompt tokens, \(results.cachedTokensTotal) came from the prefix cache."
        return """
            <table><thead><tr><th></th><th>mean</th><th>p50</th><th>p90</th><th>p99</th><th>max</th></tr></thead>
            <tbody>\(body.joined())</tbody></table><p class="faint">\(cached)</p>
            """
    }

    private static func errors(_ results: Results) -> String {
        guard !results.errors.isEmpty else { return "" }
        let rows = results.errors.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { kind, failure in
            let example = failure.example.map { "<br><span class=\"faint\">\(escape($0.printable))</span>" } ?? ""
            return "<tr><td class=\"count\">\(failure.count)</td><td>\(escape(kind))\(example)</td></tr>"
        }
        return "<section class=\"card\"><h2>Errors</h2><table class=\"list\">\(rows.joined())</table></section>"
    }

    private static func verification(_ verification: Verification) -> String {
        let families = verification.families.sorted { $0.key < $1.key }
            .map { "\($0.key): \($0.value.wrong) of \($0.value.judged)" }.joined(separator: ", ")
        let cases = verification.cases.map { fault in
            let replies = fault.replies.map { reply in
                let times = "\(reply.together) × under load, \(reply.alone) × alone"
                return "<li><q>\(escape(reply.text.printable))</q> <span class=\"faint\">\(times)</span></li>"
            }
            let expected = fault.expected.map { " <span class=\"faint\">known answer: \(escape($0))</span>" } ?? ""
            return """
                <tr><td>\(fault.differing > 0 ? "<span class=\"pill bad\">differing</span>" : "")\
                \(fault.wrong > 0 ? "<span class=\"pill bad\">wrong</span>" : "")</td>
                <td>\(escape(fault.question.printable))\(expected)<ul>\(replies.joined())</ul></td></tr>
                """
        }
        return """
            <section class="card"><h2>Verification</h2>
            <p><b>\(verification.wrong)</b> of \(verification.judged) replies with a known answer are wrong\
            \(families.isEmpty ? "" : " <span class=\"faint\">(\(escape(families)))</span>"); <b>\(verification.differing)</b> of \
            \(verification.compared) replies differ from others to the same question. \(verification.questions) questions, \
            \(verification.repeatedAlone) of them asked again alone.</p>
            <table class="list">\(cases.joined())</table></section>
            """
    }
}
