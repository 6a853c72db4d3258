import Foundation
import ModelHub

/// Shows a pull on standard error: lines that change in place on a terminal, a line now and then elsewhere.
struct PullDisplay {
    private var lines = PullLines()
    private var told: Set<Int> = []
    private var drawn = 0
    private var lastReport = 0.0
    private var lastRetry: [Int: String] = [:]

    private static let secondsBetweenReports = 10.0

    /// Does the work and shows meanwhile how far it is.
    static func showing<Value: Sendable>(
        _ progress: PullProgress,
        _ work: () async throws -> Value
    ) async throws -> Value {
        let display = Task {
            var display = PullDisplay()
            let start = ContinuousClock.now
            while !Task.isCancelled {
                display.show(progress.files, at: (.now - start) / .seconds(1))
                try? await Task.sleep(for: .milliseconds(200))
            }
            display.end(progress.files)
        }
        do {
            let value = try await work()
            display.cancel()
            await display.value
            return value
        } catch {
            display.cancel()
            await display.value
            throw error
        }
    }

    private mutating func show(_ files: [PullProgress.File], at seconds: Double) {
        lines.note(files, at: seconds)
        if Terminal.canRedraw {
            redraw(finished: newlyFinished(files), running: lines.running(files))
            return
        }
        newlyFinished(files).forEach(Terminal.error)
        tellRetries(files)
        guard seconds - lastReport >= Self.secondsBetweenReports else { return }
        lastReport = seconds
        lines.running(files).forEach(Terminal.error)
    }

    /// Leaves the lines of finished files, and no half-done ones.
    private mutating func end(_ files: [PullProgress.File]) {
        redraw(finished: newlyFinished(files), running: [])
    }

    private mutating func newlyFinished(_ files: [PullProgress.File]) -> [String] {
        let indices = files.indices.filter { files[$0].phase == .finished && told.insert($0).inserted }
        return indices.filter { files[$0].found < files[$0].size }.map { PullLines.finished(files[$0]) }
    }

    /// A log should say why a download takes long.
    private mutating func tellRetries(_ files: [PullProgress.File]) {
        for (index, file) in files.enumerated() {
            guard case .retrying(let reason) = file.phase else {
                lastRetry[index] = nil
                continue
            }
            if lastRetry[index] != reason { Terminal.error("  \(file.path): \(reason); trying again") }
            lastRetry[index] = reason
        }
    }

    private mutating func redraw(finished: [String], running: [String]) {
        let width = Terminal.width
        let up = drawn > 0 ? "\u{1b}[\(drawn)A" : ""
        let clear = Terminal.canRedraw ? "\r\(up)\u{1b}[J" : ""
        let text = (finished + running).map { $0.prefix(width) + "\n" }.joined()
        if !text.isEmpty || drawn > 0 { Terminal.errorStream(clear + text) }
        drawn = running.count
    }
}
