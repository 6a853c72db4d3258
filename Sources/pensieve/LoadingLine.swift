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
        guard Terminal.isInteractive, percent != shown else { return }
        shown = percent
        let filled = percent / 5
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
        Terminal.line("Loading \(name)  \(bar) \(percent) %")
    }

    func clear() {
        if Terminal.isInteractive { Terminal.line("") }
    }

    /// Leaves a line about it if it took long.
    func tellTime() {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        guard Terminal.isInteractive, seconds >= 1 else { return }
        Terminal.line(String(format: "Loaded %@ in %.1f s\n", name, seconds))
    }
}
