import EngineContract
import Foundation
import HTTPFront
import JSON
import Scheduling

extension Route {
    /// Whether the server is well, with statistics measured when asked. Without a key, so that supervisors can ask. 503
    /// once the server is about to end: load balancers then send nothing new here.
    static let health = Route("GET", "/health", needsKey: false) { api, _ throws(APIError) in
        let isWell = await api.scheduler.failure == nil
        return await .json(api.health(isWell: isWell), status: isWell && !api.isDraining ? 200 : 503)
    }
}

extension MessagesAPI {
    /// - Parameter isWell: whether the engine can compute; why not, only the log says.
    fileprivate func health(isWell: Bool) async -> JSONValue {
        let statistics = await scheduler.statistics()
        let memory = ProcessStatistics.memoryPercent ?? 0
        return [
            "status": !isWell ? "unhealthy" : isDraining ? "draining" : "healthy",
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
