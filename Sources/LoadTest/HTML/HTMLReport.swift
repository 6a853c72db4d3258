import APIClient
import Console
import Foundation

/// The results as a self-contained HTML page: tables, distributions, and plots over time.
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
            if verification.invalid > 0 { faults.append("\(verification.invalid) invalid") }
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
        let good = test.samples.filter { $0.outcome == .answered }
        let start = test.samples.map(\.start).min() ?? 0
        let failures = test.samples.filter { if case .failed = $0.outcome { true } else { false } }
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
                good.compactMap { sample in sample.timeToFirstToken.map { (sample.start - start, $0 * 1000) } },
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
                \(fault.invalid > 0 ? "<span class=\"pill bad\">invalid</span>" : "")\
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

extension HTMLReport {
    /// The page's style sheet, for light and dark mode and for print.
    static let style = """

        :root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --ink: #1c2230; --faint: #657084;
          --line: #e3e6ec; --bar: #4169c9; --tokens: #2a9d8f; --sessions: #8a5fbf; --dot: #4169c9; --mark: #d9822b;
          --good: #1d7a4c; --bad: #b3312c; font: 15px/1.5 system-ui, sans-serif; }
        @media (prefers-color-scheme: dark) { :root { --page: #12151c; --card: #1b202a; --ink: #e6e9f0; --faint: #98a2b5;
          --line: #2c3340; --bar: #7396ec; --tokens: #4cc0b1; --sessions: #b795e4; --dot: #7396ec; --mark: #f0a860; --good: #5cc492; --bad: #f08a84; } }
        body { margin: 0; background: var(--page); color: var(--ink); }
        main { max-width: 78rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
        h1 { display: inline-block; margin: 0 .8rem .3rem 0; font-size: 1.7rem; letter-spacing: -.01em; }
        h2 { margin: 0 0 .4rem; font-size: 1.05rem; }
        header p { margin: .1rem 0; } small { font-size: .6em; font-weight: 500; } .faint { color: var(--faint); }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1.1rem;
          margin: 0 0 1rem; break-inside: avoid; }
        .pill { display: inline-block; padding: .05rem .6rem; margin: 0 .3rem .2rem 0; border-radius: 1rem;
          border: 1px solid var(--line); font-size: .85rem; font-weight: 600; vertical-align: middle; }
        .good { color: var(--good); border-color: var(--good); } .bad { color: var(--bad); border-color: var(--bad); }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: 1rem; margin: 1.2rem 0 1rem; }
        .tiles .card { margin: 0; display: flex; flex-direction: column; font-size: .88rem; }
        .tiles strong { font-size: 1.9rem; line-height: 1.25; font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
        .plots { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; margin-bottom: 1rem; }
        .plots .card { margin: 0; } .plots .card:nth-child(-n+2) { grid-column: 1 / -1; }
        @media (max-width: 46rem) { .plots .card { grid-column: 1 / -1; } }
        figcaption span { color: var(--faint); margin-left: .6rem; font-size: .88rem; }
        figure { margin: 0; } svg { display: block; width: 100%; height: auto; margin-top: .3rem; }
        svg text { fill: var(--faint); font-size: 12px; } svg .label { fill: var(--mark); font-weight: 600; }
        svg .fault { fill: var(--bad); font-size: 15px; font-weight: 700; }
        .bar { fill: var(--bar); } .dot { fill: var(--dot); fill-opacity: .55; }
        .area { fill-opacity: .2; stroke-width: 1.6; stroke-linejoin: round; }
        .tokens { fill: var(--tokens); stroke: var(--tokens); } .sessions { fill: var(--sessions); stroke: var(--sessions); }
        .axis { stroke: var(--faint); } .grid { stroke: var(--line); }
        .mark { stroke: var(--mark); stroke-width: 1.4; stroke-dasharray: 4 3; }
        table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { padding: .35rem .5rem; text-align: right; border-bottom: 1px solid var(--line); font-weight: 400; }
        thead th { color: var(--faint); } th:first-child { text-align: left; }
        .list td { text-align: left; vertical-align: top; } .list .count { width: 4rem; font-weight: 600; }
        tr:last-child td, tr:last-child th { border-bottom: 0; } ul { margin: .2rem 0; padding-left: 1.2rem; }
        section p { margin: .3rem 0; }

        """
}
