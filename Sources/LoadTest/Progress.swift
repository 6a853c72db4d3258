import Foundation
import Synchronization

/// A line that says how far a test is: rewritten in place on a terminal, now and then elsewhere.
final class Progress: Sendable {
    private let total: Int?
    private let isStopped = Atomic<Bool>(false)

    init(total: Int?) { self.total = total }

    /// - Parameter look: finished requests, active ones, tokens so far.
    func start(_ look: @escaping @Sendable () -> (done: Int, active: Int, tokens: Int)) {
        let interactive = isatty(STDERR_FILENO) == 1
        Thread.detachNewThread { [self] in
            let begin = ContinuousClock.now
            var ticks = 0
            while !isStopped.load(ordering: .relaxed) {
                Thread.sleep(forTimeInterval: 0.5)
                ticks += 1
                guard interactive || ticks % 10 == 0, !isStopped.load(ordering: .relaxed) else { continue }
                let (done, active, tokens) = look()
                let seconds = (ContinuousClock.now - begin) / .seconds(1)
                let line = String(
                    format: "%d%@ answered, %d active, %.0f tokens/s",
                    done,
                    total.map { " of \($0)" } ?? "",
                    active,
                    Double(tokens) / seconds
                )
                Output.errorText(interactive ? "\r\u{1B}[K" + line : line + "\n")
            }
        }
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        if isatty(STDERR_FILENO) == 1 { Output.errorText("\r\u{1B}[K") }
    }
}

enum Output {
    static func print(_ text: String) { try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8)) }
    static func error(_ text: String) { errorText(text + "\n") }
    static func errorText(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }

    static func write(_ text: String, to path: String) throws {
        if path == "-" { return print(text) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}
