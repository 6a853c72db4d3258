import Dispatch
import Synchronization

/// Writes lines to standard error, one after another, on a queue of its own: a stuck terminal stalls no task. While it is
/// stuck, some lines wait, and what is more is only counted.
final class LineWriter: Sendable {
    private static let mostWaiting = 4096

    private struct State {
        var waiting = 0
        var leftOut = 0
        var isOver = false
    }

    private let queue = DispatchQueue(label: "pensieve.log")
    private let state = Mutex(State())
    private let lineAboutLeftOut: @Sendable (_ text: String) -> String

    /// - Parameter lineAboutLeftOut: makes a line of a text that tells of lines left out.
    init(lineAboutLeftOut: @escaping @Sendable (_ text: String) -> String) {
        self.lineAboutLeftOut = lineAboutLeftOut
    }

    func write(_ line: String) {
        let fits = state.withLock { state in
            let fits = state.waiting < Self.mostWaiting
            if fits { state.waiting += 1 } else { state.leftOut += 1 }
            return fits
        }
        if fits { queue.async { @Sendable [self] in writeNow(line) } }
    }

    private func writeNow(_ line: String) {
        let isOver = state.withLock { state in
            if state.isOver { state.leftOut += 1 }
            return state.isOver
        }
        if !isOver { Terminal.error(line) }
        let leftOut = state.withLock { state in
            // Too late for a line, it is one of many that are told of together.
            guard !state.isOver || state.waiting == 1 else { return 0 }
            defer { state.leftOut = 0 }
            return state.leftOut
        }
        if leftOut > 0 {
            Terminal.error(lineAboutLeftOut("\(leftOut) lines left out here: standard error was stuck"))
        }
        state.withLock { $0.waiting -= 1 }
    }

    /// Waits until all lines are written, a second at most: what is left then is left out, and told of if that is possible.
    func finish() async {
        await wait(.seconds(1))
        state.withLock { $0.isOver = true }
        await wait(.milliseconds(200))
    }

    private func wait(_ longest: Duration) async {
        let end = ContinuousClock.now + longest
        while state.withLock({ $0.waiting > 0 }), ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }
}
