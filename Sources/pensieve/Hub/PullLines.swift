import ModelHub

/// A pull's progress in words, from snapshots of it.
struct PullLines {
    private var meters: [RateMeter] = []

    mutating func note(_ files: [PullProgress.File], at seconds: Double) {
        if meters.count != files.count { meters = Array(repeating: RateMeter(), count: files.count) }
        for (index, file) in files.enumerated() { meters[index].add(file.received, at: seconds) }
    }

    /// One line for each file under way, and one for all if there are several.
    func running(_ files: [PullProgress.File]) -> [String] {
        let lines = files.indices.compactMap { line(files[$0], meters[$0]) }
        guard files.count > 1, !lines.isEmpty else { return lines }
        let (received, size) = files.reduce((0, 0)) { ($0.0 + $1.received, $0.1 + $1.size) }
        let rate = meters.compactMap(\.rate).reduce(0, +)
        let done = files.count { $0.phase == .finished }
        return lines + [Self.line("\(done) of \(files.count) files", received, size, rate)]
    }

    /// What is left to say of a file that is there.
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
