import Foundation

/// The figures as one page without outside resources: the table, distributions, and the course of the test.
enum HTMLReport {
    static func page(_ results: Results, _ exchanges: [Exchange], _ options: LoadOptions) -> String {
        let good = exchanges.filter { $0.outcome == .answered }
        let start = exchanges.map(\.start).min() ?? 0
        let plots = [
            Plot.histogram("Time to first token", unit: "ms", good.compactMap(\.timeToFirstToken).map { $0 * 1000 }),
            Plot.histogram("Inter-token latency", unit: "ms", good.flatMap(\.interTokenLatencies).map { $0 * 1000 }),
            Plot.histogram("End to end", unit: "ms", good.map { $0.duration * 1000 }),
            Plot.course(
                "Output tokens per second over time",
                good.flatMap(\.answer.deltaTimes).map { $0 - start },
                seconds: results.seconds
            ),
            Plot.active(
                "Active requests over time",
                exchanges.map { ($0.start - start, $0.end - start) },
                seconds: results.seconds
            ),
        ]
        return """
            <!doctype html>
            <html lang="en"><meta charset="utf-8"><title>Load test of \(escape(options.host)):\(options.port)</title>
            <meta name="viewport" content="width=device-width">
            <style>
            :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
            body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
            pre { overflow-x: auto; padding: 1rem; border: 1px solid #8884; border-radius: 6px; }
            figure { margin: 1.5rem 0; } figcaption { font-weight: 600; }
            svg { width: 100%; height: auto; } svg text { fill: currentColor; font-size: 11px; }
            .bar { fill: #4a7fd4; } .axis { stroke: currentColor; stroke-opacity: .4; }
            </style>
            <h1>Load test of \(escape(options.host)):\(options.port)</h1>
            <pre>\(escape(Report.table(results, options)))</pre>
            \(plots.joined(separator: "\n"))
            </html>
            """
    }

    static func escape(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: "\"", with: "&quot;")
    }
}

/// Bar charts in SVG.
private enum Plot {
    private static let bars = 60

    static func histogram(_ title: String, unit: String, _ values: [Double]) -> String {
        // The longest tail is cut at the 99.5th percentile, so that the rest can be seen.
        let sorted = values.sorted()
        let top = max(Distribution.percentile(sorted, 0.995), 1e-9)
        var counts = [Double](repeating: 0, count: bars)
        for value in values { counts[min(bars - 1, max(0, Int(value / top * Double(bars))))] += 1 }
        return chart(title, counts, right: String(format: "%.1f %@", top, unit), top: "\(Int(counts.max() ?? 0))")
    }

    static func course(_ title: String, _ times: [Double], seconds: Double) -> String {
        let width = max(seconds, 1e-9) / Double(bars)
        var rates = [Double](repeating: 0, count: bars)
        for time in times { rates[min(bars - 1, max(0, Int(time / width)))] += 1 / width }
        return chart(
            title,
            rates,
            right: String(format: "%.1f s", seconds),
            top: String(format: "%.0f", rates.max() ?? 0)
        )
    }

    static func active(_ title: String, _ spans: [(Double, Double)], seconds: Double) -> String {
        let width = max(seconds, 1e-9) / Double(bars)
        let counts = (0..<bars).map { bar in
            let middle = (Double(bar) + 0.5) * width
            return Double(spans.count { $0.0 <= middle && middle < $0.1 })
        }
        return chart(title, counts, right: String(format: "%.1f s", seconds), top: "\(Int(counts.max() ?? 0))")
    }

    private static func chart(_ title: String, _ values: [Double], right: String, top: String) -> String {
        let highest = max(values.max() ?? 0, 1e-9)
        let rectangles = values.enumerated().map { index, value in
            let height = value / highest * 140
            return String(
                format: "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"9\" height=\"%.1f\"/>",
                40 + Double(index) * 10,
                160 - height,
                height
            )
        }.joined()
        return """
            <figure><figcaption>\(HTMLReport.escape(title))</figcaption>
            <svg viewBox="0 0 660 185" role="img" aria-label="\(HTMLReport.escape(title))">
            <line class="axis" x1="40" y1="160" x2="640" y2="160"/>\(rectangles)
            <text x="36" y="28" text-anchor="end">\(top)</text><text x="36" y="164" text-anchor="end">0</text>
            <text x="40" y="178">0</text><text x="640" y="178" text-anchor="end">\(right)</text></svg></figure>
            """
    }
}
