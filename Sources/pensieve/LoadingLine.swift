import Foundation

/// The line on a terminal that says how far a model is loaded; elsewhere nothing.
final class LoadingLine {
    private let name: String
    private let start = ContinuousClock.now
    private var shown = -1

    init(_ name: String) {
        self.name = name
        show(0)
    }

    /// - Parameter fraction: the part done, from 0 to 1.
    func show(_ fraction: Double) {
        let percent = Int((min(max(fraction, 0), 1) * 100).rounded(.down))
        guard Terminal.canRedraw, percent != shown else { return }
        shown = percent
        Terminal.line(Self.text(name, percent: percent, width: Terminal.width))
    }

    /// A line that is longer than the terminal is wide cannot be rewritten in place: a long name loses its middle, and a
    /// narrow terminal shows no bar.
    static func text(_ name: String, percent: Int, width: Int) -> String {
        let filled = percent / 5
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
        let rest = width < 60 ? "" : "  \(bar)"
        let room = max(8, width - 1 - "Loading ".columns - rest.columns - " 100 %".columns)
        return "Loading " + TextWrap.shortened(name, to: room) + rest + " \(percent) %"
    }

    func clear() {
        if Terminal.canRedraw { Terminal.line("") }
    }

    /// Leaves a line about it if it took long.
    func tellTime() {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        guard Terminal.canRedraw, seconds >= 1 else { return }
        Terminal.line(String(format: "Loaded %@ in %.1f s\n", name, seconds))
    }
}
