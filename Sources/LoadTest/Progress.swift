import APIClient
import Foundation
import Synchronization

/// A progress line on standard error: rewritten in place on a terminal, printed every few seconds elsewhere.
final class Progress: Sendable {
    struct Snapshot {
        var done: Int
        var active: Int
        var failed: Int
        var tokens: Int
    }

    private let total: Int?
    private let seconds: Double?
    private let begin = ContinuousClock.now
    private let isInteractive = isatty(STDERR_FILENO) == 1
    /// Locked while a line is written, so that none is written after `stop`.
    private let isStopped = Mutex(false)

    /// - Parameters:
    ///   - total: the number of requests, if that ends the test.
    ///   - seconds: the duration, if that ends the test.
    init(total: Int?, seconds: Double?) {
        self.total = total
        self.seconds = seconds
    }

    func start(_ snapshot: @escaping @Sendable () -> Snapshot) {
        Thread.detachNewThread { [self] in
            let pause = isInteractive ? 0.2 : 5
            while true {
                Thread.sleep(forTimeInterval: pause)
                let text = text(snapshot(), after: (ContinuousClock.now - begin) / .seconds(1))
                let goesOn = isStopped.withLock { isStopped in
                    if !isStopped { Output.errorText(isInteractive ? "\r\u{1B}[K" + text : text + "\n") }
                    return !isStopped
                }
                guard goesOn else { return }
            }
        }
    }

    func stop() {
        isStopped.withLock { $0 = true }
        if isInteractive { Output.errorText("\r\u{1B}[K") }
    }

    private func text(_ snapshot: Snapshot, after elapsed: Double) -> String {
        var parts = ["\(snapshot.done)\(total.map { " of \($0)" } ?? "") ended", "\(snapshot.active) active"]
        if snapshot.failed > 0 { parts.append("\(snapshot.failed) failed") }
        if snapshot.tokens > 0 { parts.append(String(format: "%.0f tokens/s", Double(snapshot.tokens) / elapsed)) }
        let share = max(
            total.map { Double(snapshot.done) / Double(max(1, $0)) } ?? 0,
            seconds.map { min(1, elapsed / $0) } ?? 0
        )
        if share > 0.02, share < 1 {
            parts.append(String(format: "%.0f s, about %.0f s left", elapsed, elapsed / share - elapsed))
        } else {
            parts.append(String(format: "%.0f s", elapsed))
        }
        return parts.joined(separator: ", ")
    }
}

/// The program's output: the report on standard output, everything else on standard error.
enum Output {
    static func print(_ text: String) { try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8)) }
    static func error(_ text: String) { errorText(text + "\n") }
    static func errorText(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }

    /// Fails before a long test, rather than after it, if a file cannot be written.
    /// - Throws: `UsageError`.
    static func check(_ path: String) throws(UsageError) {
        guard path != "-" else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw UsageError("cannot write \(path): \(String(cString: strerror(errno)).lowercased())")
        }
        close(descriptor)
    }

    static func write(_ text: String, to path: String) throws {
        if path == "-" { return print(text) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}
