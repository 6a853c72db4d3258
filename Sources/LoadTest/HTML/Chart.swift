import Foundation

/// Plots in SVG, for an HTML page whose style sheet defines the colours.
struct Chart {
    private static let height = 250.0
    private static let (left, right, top, bottom) = (62.0, 16.0, 16.0, 34.0)

    let title: String
    /// A sentence under the title, for what the axes cannot show.
    let note: String
    private let svg: String

    var html: String {
        let name = HTMLReport.escape(title)
        return """
            <figure class="card"><figcaption><b>\(name)</b><span>\(HTMLReport.escape(note))</span></figcaption>
            \(svg)</figure>
            """
    }

    // MARK: Distributions

    /// A histogram of values with percentiles marked.
    static func histogram(_ title: String, unit: String, _ values: [Double]) -> Chart {
        guard !values.isEmpty else { return empty(title) }
        let sorted = values.sorted()
        let most = sorted[sorted.count - 1]
        // A long tail would compress everything else: it is cut, and the note says so.
        let cut = Distribution.percentile(sorted, 0.995)
        let high = most > cut * 1.5 ? cut : most
        let low = sorted[0] > high * 0.5 ? sorted[0] : 0
        let x = Scale(low, max(high, low + 1e-6), from: left, to: width(false) - right)
        let bars = min(50, max(10, Int(2 * Double(values.count).squareRoot())))
        var counts = [Int](repeating: 0, count: bars)
        for value in sorted where value <= x.high {
            counts[min(bars - 1, max(0, Int((value - x.low) / (x.high - x.low) * Double(bars))))] += 1
        }
        let beyond = sorted.count { $0 > x.high }
        let y = Scale.rounded(upTo: Double(counts.max() ?? 1), from: height - bottom, to: top + 34)
        let step = (x.to - x.from) / Double(bars)
        let rectangles = counts.enumerated().map { index, count in
            rectangle(x.from + Double(index) * step, y.coordinate(Double(count)), step, y.coordinate(0), "\(count)")
        }
        var note = "\(values.count) values"
        if beyond > 0 { note += ", \(beyond) beyond the edge, up to \(Scale.text(most)) \(unit)" }
        let parts = [grid(y, wide: false), rectangles.joined(), xAxis(x, unit: unit), percentiles(sorted, x)]
        return Chart(title: title, note: note, svg: frame(title, parts, wide: false))
    }

    private static func rectangle(_ x: Double, _ y: Double, _ width: Double, _ base: Double, _ tip: String) -> String {
        guard base - y > 0.05 else { return "" }
        return String(
            format: "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%@</title></rect>",
            x + 0.5,
            y,
            max(0.5, width - 1),
            base - y,
            tip
        )
    }

    private static func percentiles(_ sorted: [Double], _ x: Scale) -> String {
        [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)].enumerated().map { row, entry in
            let value = Distribution.percentile(sorted, entry.1)
            guard value <= x.high else { return "" }
            let place = x.coordinate(value)
            // Each label has a row of its own, so that close ones stay readable.
            let line = top + Double(row) * 15
            let isLate = place > (x.from + x.to) / 2
            return String(
                format: "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                    + "<text class=\"label\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%@\">%@ %@</text>",
                place,
                place,
                line - 6,
                height - bottom,
                place + (isLate ? -5 : 5),
                line + 4,
                isLate ? "end" : "start",
                entry.0,
                Scale.text(value)
            )
        }.joined()
    }

    // MARK: Over time

    /// A quantity over time, one value for each interval.
    /// - Parameter style: the style sheet's class for the area.
    static func course(
        _ title: String,
        note: String,
        style: String,
        _ values: [Double],
        interval: Double,
        seconds: Double
    ) -> Chart {
        guard seconds > 0, let most = values.max(), most > 0 else { return empty(title, wide: true) }
        let x = Scale(0, seconds, from: left, to: width(true) - right)
        let y = Scale.rounded(upTo: most, from: height - bottom, to: top)
        var path = String(format: "M%.1f %.1f", x.from, y.coordinate(0))
        for (index, value) in values.enumerated() {
            let begin = Double(index) * interval
            let end = index == values.count - 1 ? seconds : begin + interval
            path += String(
                format: "L%.1f %.1fL%.1f %.1f",
                x.coordinate(begin),
                y.coordinate(value),
                x.coordinate(end),
                y.coordinate(value)
            )
        }
        path += String(format: "L%.1f %.1fZ", x.to, y.coordinate(0))
        let parts = [grid(y, wide: true), "<path class=\"area \(style)\" d=\"\(path)\"/>", xAxis(x, unit: "s")]
        return Chart(title: title, note: note, svg: frame(title, parts, wide: true))
    }

    /// A dot for each request at its start; `failures` as marks at the upper edge.
    static func dots(_ title: String, unit: String, _ points: [(x: Double, y: Double)], failures: [Double]) -> Chart {
        guard let last = (points.map(\.x) + failures).max() else { return empty(title) }
        let x = Scale(0, last, from: left, to: width(false) - right)
        let y = Scale.rounded(upTo: points.map(\.y).max() ?? 1, from: height - bottom, to: top + 12)
        let circles = thinned(points).map { point in
            String(
                format: "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\"/>",
                x.coordinate(point.x),
                y.coordinate(point.y)
            )
        }
        let crosses = thinned(failures).map { time in
            String(
                format: "<text class=\"fault\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">×</text>",
                x.coordinate(time),
                top + 4
            )
        }
        let parts = [grid(y, wide: false), circles.joined(), crosses.joined(), xAxis(x, unit: "s")]
        let note = "\(unit), by the moment of asking" + (failures.isEmpty ? "" : "; failed ones as × at the top")
        return Chart(title: title, note: note, svg: frame(title, parts, wide: false))
    }

    /// At most a few thousand points, evenly chosen: more would only make the page slow.
    private static func thinned<Value>(_ values: [Value]) -> [Value] {
        let step = max(1, values.count / 3000)
        return stride(from: 0, to: values.count, by: step).map { values[$0] }
    }

    // MARK: Frames

    private static func width(_ wide: Bool) -> Double { wide ? 1200 : 590 }

    private static func empty(_ title: String, wide: Bool = false) -> Chart {
        let text = "<text x=\"\(width(wide) / 2)\" y=\"\(height / 2)\" text-anchor=\"middle\">no answers</text>"
        return Chart(title: title, note: "", svg: frame(title, [text], wide: wide))
    }

    private static func frame(_ title: String, _ parts: [String], wide: Bool) -> String {
        "<svg viewBox=\"0 0 \(Int(width(wide))) \(Int(height))\" role=\"img\" aria-label=\"\(HTMLReport.escape(title))\">"
            + parts.joined(separator: "\n") + "</svg>"
    }

    private static func grid(_ y: Scale, wide: Bool) -> String {
        y.ticks(4).map { tick in
            let place = y.coordinate(tick)
            return String(
                format: "<line class=\"%@\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                    + "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%@</text>",
                tick == 0 ? "axis" : "grid",
                left,
                width(wide) - right,
                place,
                place,
                left - 8,
                place + 4,
                Scale.text(tick)
            )
        }.joined()
    }

    private static func xAxis(_ x: Scale, unit: String) -> String {
        let ticks = x.ticks(x.to > 800 ? 12 : 6)
        return ticks.enumerated().map { index, tick in
            String(
                format: "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%@%@</text>",
                x.coordinate(tick),
                height - bottom + 20,
                Scale.text(tick),
                index == ticks.count - 1 ? " " + unit : ""
            )
        }.joined()
    }
}

/// An axis: maps values to coordinates, and chooses round values as ticks.
struct Scale: Sendable {
    let low: Double
    let high: Double
    /// The coordinates of `low` and `high`.
    let from: Double
    let to: Double

    init(_ low: Double, _ high: Double, from: Double, to: Double) {
        self.low = low
        // The range must not be empty, even if all values are equal.
        self.high = high > low ? high : low + 1
        self.from = from
        self.to = to
    }

    /// From zero to a round value of at least `most`, so that the highest tick is above all values.
    static func rounded(upTo most: Double, from: Double, to: Double) -> Scale {
        let step = Scale(0, most, from: from, to: to).step(4)
        return Scale(0, (most / step - 1e-9).rounded(.up) * step, from: from, to: to)
    }

    func coordinate(_ value: Double) -> Double { from + (value - low) / (high - low) * (to - from) }

    /// About `wanted` round values within the range.
    func ticks(_ wanted: Int) -> [Double] {
        let step = step(wanted)
        let first = (low / step).rounded(.up)
        let last = (high / step + 1e-9).rounded(.down)
        guard first.isFinite, last.isFinite, last - first < 1000 else { return [] }
        return stride(from: first, through: last, by: 1).map { $0 * step }
    }

    /// The smallest of 1, 2, 5, 10 … that divides the range into at most about `wanted` parts.
    private func step(_ wanted: Int) -> Double {
        let rough = (high - low) / Double(max(1, wanted))
        let power = pow(10, floor(log10(rough)))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.99 } ?? power * 10
    }

    /// A tick label in few digits.
    static func text(_ value: Double) -> String {
        switch abs(value) {
        case 0: "0"
        case 100_000...: String(format: "%.3gk", value / 1000)
        case 100...: String(format: "%.0f", value)
        default: String(format: "%.3g", value)
        }
    }
}
