import Dispatch
import Synchronization

/// Writes log lines to standard error on a queue of its own, so that a blocked terminal blocks no task. Lines are
/// queued up to a limit; further ones are dropped and counted.
final class LogWriter: Sendable {
    private static let maxQueued = 4096

    private struct State {
        var queued = 0
        var dropped = 0
        var isOver = false
    }

    private let queue = DispatchQueue(label: "pensieve.log")
    private let state = Mutex(State())
    private let dropNotice: @Sendable (_ text: String) -> String

    /// - Parameter dropNotice: makes a log line of the text that reports dropped lines.
    init(dropNotice: @escaping @Sendable (_ text: String) -> String) {
        self.dropNotice = dropNotice
    }

    func write(_ line: String) {
        let fits = state.withLock { state in
            let fits = state.queued < Self.maxQueued
            if fits { state.queued += 1 } else { state.dropped += 1 }
            return fits
        }
        if fits { queue.async { @Sendable [self] in writeNow(line) } }
    }

    private func writeNow(_ line: String) {
        let isOver = state.withLock { state in
            if state.isOver { state.dropped += 1 }
            return state.isOver
        }
        if !isOver { Terminal.error(line) }
        let dropped = state.withLock { state in
            // After the end, dropped lines are reported together, with the last one.
            guard !state.isOver || state.queued == 1 else { return 0 }
            defer { state.dropped = 0 }
            return state.dropped
        }
        if dropped > 0 {
            Terminal.error(dropNotice("\(dropped) lines left out here: standard error was stuck"))
        }
        state.withLock { $0.queued -= 1 }
    }

    /// Waits until all lines are written, at most a second; the remaining ones are dropped, and reported if possible.
    func finish() async {
        await wait(.seconds(1))
        state.withLock { $0.isOver = true }
        await wait(.milliseconds(200))
    }

    private func wait(_ longest: Duration) async {
        let end = ContinuousClock.now + longest
        while state.withLock({ $0.queued > 0 }), ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }
}
