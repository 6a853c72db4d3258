import EngineContract
import Foundation
import HTTPFront
import Scheduling

extension Route {
    /// Whether the server is well, in figures measured at the moment of asking. Without a key, so that supervisors can
    /// ask.
    static let health = Route("GET", "/health", needsKey: false) { api, _, _ throws(APIError) in
        let isWell = await api.scheduler.failure == nil
        return await .json(api.health(isWell: isWell), status: isWell ? 200 : 503)
    }
}

extension MessagesAPI {
    /// - Parameter isWell: whether the engine can compute; why not, only the log says.
    fileprivate func health(isWell: Bool) async -> JSON {
        let statistics = await scheduler.statistics()
        let memory = ProcessMemory.percentOfTotal ?? 0
        return [
            "status": .string(isWell ? "healthy" : "unhealthy"),
            "model": .string(model.id),
            "version": .string(configuration.version),
            "framework": "Pensieve",
            "mock": .bool(scheduler.engineDescription.isMock),
            "performance": [
                "tokens_per_second": .double(rounded(statistics.tokensPerSecond)),
                "memory_utilization_percent": .double(rounded(memory)),
                // There is no GPU in use.
                "gpu_utilization_percent": 0,
            ],
            "sessions": [
                "waiting": .integer(statistics.sessionsWaiting), "running": .integer(statistics.sessionsRunning),
            ],
            "kv_blocks": [
                "total": .integer(statistics.blocksTotal), "in_use": .integer(statistics.blocksInUse),
                "cached": .integer(statistics.blocksCached),
            ],
            "uptime_seconds": .double(rounded(uptimeSeconds)),
            "timestamp": .string(Date().formatted(.iso8601)),
        ]
    }

    private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

/// What this process holds of the machine's memory.
enum ProcessMemory {
    /// Resident memory in hundredths of all; nil where it cannot be measured.
    static var percentOfTotal: Double? {
        guard let resident = kibibytes("VmRSS:", in: "/proc/self/status") else { return nil }
        let total = Double(ProcessInfo.processInfo.physicalMemory)
        return total > 0 ? Double(resident) * 1024 / total * 100 : nil
    }

    /// The figure of a line such as `VmRSS:     1234 kB`.
    private static func kibibytes(_ label: String, in path: String) -> Int? {
        guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(label) }
        return line?.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int($0) }
    }
}
