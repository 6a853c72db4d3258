import Foundation
import ModelHub

/// Shows the progress of a pull on standard error: rewritten in place on a terminal, printed every few seconds
/// elsewhere.
struct PullDisplay {
    private var lines = PullProgressLines()
    private var reported: Set<Int> = []
    private var drawn = 0
    private var lastReport = 0.0
    private var lastRetry: [Int: String] = [:]

    private static let secondsBetweenReports = 10.0

    /// Shows the progress while the work runs.
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
        lines.update(files, at: seconds)
        if Terminal.canRedraw {
            redraw(finished: newlyFinished(files), running: lines.running(files))
            return
        }
        newlyFinished(files).forEach(Terminal.error)
        reportRetries(files)
        guard seconds - lastReport >= Self.secondsBetweenReports else { return }
        lastReport = seconds
        lines.running(files).forEach(Terminal.error)
    }

    /// Prints the remaining lines of finished files, and clears those in progress.
    private mutating func end(_ files: [PullProgress.File]) {
        redraw(finished: newlyFinished(files), running: [])
    }

    private mutating func newlyFinished(_ files: [PullProgress.File]) -> [String] {
        let indices = files.indices.filter { files[$0].phase == .finished && reported.insert($0).inserted }
        return indices.filter { files[$0].found < files[$0].size }.map { PullProgressLines.finished(files[$0]) }
    }

    /// In a log, retries explain why a download takes long.
    private mutating func reportRetries(_ files: [PullProgress.File]) {
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

/// Formats the progress of a pull.
struct PullProgressLines {
    private var meters: [RateMeter] = []

    mutating func update(_ files: [PullProgress.File], at seconds: Double) {
        if meters.count != files.count { meters = Array(repeating: RateMeter(), count: files.count) }
        for (index, file) in files.enumerated() { meters[index].add(file.received, at: seconds) }
    }

    /// One line for each file in progress, and one for all if there are several.
    func running(_ files: [PullProgress.File]) -> [String] {
        let lines = files.indices.compactMap { line(files[$0], meters[$0]) }
        guard files.count > 1, !lines.isEmpty else { return lines }
        let (received, size) = (files.map(\.received).saturatedSum, files.map(\.size).saturatedSum)
        let rate = meters.compactMap(\.rate).reduce(0, +)
        let done = files.count { $0.phase == .finished }
        return lines + [Self.line("\(done) of \(files.count) files", received, size, rate)]
    }

    /// The line of a finished file.
    static func finished(_ file: PullProgress.File) -> String {
        let note = file.found > 0 ? " (\(Format.bytes(file.found)) were here already)" : ""
        return "  \(file.path)  \(Format.bytes(file.size))\(note)"
    }

    private func line(_ file: PullProgress.File, _ meter: RateMeter) -> String? {
        let name = Self.column(file.path.description)
        switch file.phase {
        case .waiting, .finished: return nil
        case .locked: return "  \(name)  another pull is fetching it; waiting"
        case .checking: return "  \(name)  checking"
        case .retrying(let reason): return "  \(name)  \(reason); trying again"
        case .receiving: return Self.line(file.path.description, file.received, file.size, meter.rate ?? 0)
        }
    }

    private static func line(_ name: String, _ received: Int, _ size: Int, _ rate: Double) -> String {
        let percent = size > 0 ? Int(Double(received) / Double(size) * 100) : 100
        var parts = ["\(column(name)) \(pad("\(percent)", 3)) %", "\(Format.bytes(received)) of \(Format.bytes(size))"]
        if rate >= 1 {
            parts.append("\(Format.bytes(Int(rate)))/s")
            parts.append("\(duration(Double(size - received) / rate)) left")
        }
        return "  " + parts.joined(separator: "  ")
    }

    private static func column(_ name: String) -> String {
        let width = 34
        guard name.count > width else { return name + String(repeating: " ", count: width - name.count) }
        return "…" + name.suffix(width - 1)
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// 0:09, 12:34, 1:02:03.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds.rounded(.up), 0), 360_000))
        let parts = [whole / 3600, whole / 60 % 60, whole % 60]
        let shown = parts[0] > 0 ? parts[...] : parts[1...]
        return shown.enumerated().map { $0 == 0 ? "\($1)" : ($1 < 10 ? "0\($1)" : "\($1)") }.joined(separator: ":")
    }
}

/// The growth rate of a count over a sliding window, so that it follows a varying network.
struct RateMeter {
    private static let window = 10.0
    private var samples: [(seconds: Double, count: Int)] = []

    mutating func add(_ count: Int, at seconds: Double) {
        if let last = samples.last, count < last.count { samples.removeAll() }
        samples.append((seconds, count))
        // Keeps one sample older than the window, so that the window is covered.
        while samples.count > 2, seconds - samples[1].seconds >= Self.window { samples.removeFirst() }
    }

    /// Per second; nil until half a second is covered.
    var rate: Double? {
        guard let first = samples.first, let last = samples.last, last.seconds - first.seconds >= 0.5 else {
            return nil
        }
        return Double(last.count - first.count) / (last.seconds - first.seconds)
    }
}
