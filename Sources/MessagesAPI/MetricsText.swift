import EngineContract
import Foundation
import Scheduling

extension Metrics {
    /// Everything in Prometheus's text format, version 0.0.4.
    func prometheusText(
        _ scheduler: SchedulerStatistics,
        about server: ServerFacts,
        uptimeSeconds: Double,
        process: ProcessFigures?
    ) -> String {
        let counts = current
        var page = MetricsPage()
        page.add("build_info", "gauge", "What runs here; always 1.", server.build)
        page.add("model_info", "gauge", "The model that is served; always 1.", server.model)
        let requests = counts.requests.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
        page.add(
            "requests_total",
            "counter",
            "Finished requests by route and status.",
            requests.map { ("{route=\"\($0.key.route)\",status=\"\($0.key.status)\"}", Double($0.value)) }
        )
        page.add("request_seconds", "Time from a request's head to the end of its response.", counts.requestSeconds)
        page.add("prompt_tokens_total", "counter", "Prompt tokens of ended sessions.", Double(counts.promptTokens))
        page.add(
            "generated_tokens_total",
            "counter",
            "Tokens sampled by ended sessions.",
            Double(counts.generatedTokens)
        )
        page.add(
            "prefix_cache_hit_tokens_total",
            "counter",
            "Prompt tokens that were found computed, in ended sessions.",
            Double(counts.cachedTokens)
        )
        page.add(
            "sessions_finished_total",
            "counter",
            "Ended sessions by reason.",
            counts.finished.sorted { $0.key < $1.key }.map { ("{reason=\"\($0.key)\"}", Double($0.value)) }
        )
        page.add(
            "cancellations_total",
            "counter",
            "Sessions that ended because nobody waited for them.",
            Double(counts.finished["cancelled"] ?? 0)
        )
        page.add(
            "preemptions_total",
            "counter",
            "Sessions that gave up their blocks for others.",
            Double(counts.preemptions)
        )
        page.add(
            "time_to_first_token_seconds",
            "Time from a session's submission to its first token.",
            counts.firstToken
        )
        page.add("inter_token_latency_seconds", "Time between two tokens of a session.", counts.interToken)
        page.add("queue_seconds", "Time from submission to the first share of a step.", counts.queued)
        page.add("step_seconds", "Time of an engine step.", counts.step)
        page.add("step_tokens", "Tokens computed in a step.", counts.stepTokens)
        page.add("batch_size", "Sessions computed together in a step.", counts.stepSessions)
        page.add(
            "step_part_seconds_total",
            "counter",
            "Time of steps by what it went into.",
            scheduler.stepTimes.parts.map { ("{part=\"\($0.key)\"}", $0.value) }
        )
        addSpeculation(scheduler, to: &page)
        addGauges(scheduler, uptimeSeconds, to: &page)
        if let process { page.add(process) }
        return page.text
    }

    private func addSpeculation(_ scheduler: SchedulerStatistics, to page: inout MetricsPage) {
        page.add(
            "drafted_tokens_total",
            "counter",
            "Tokens guessed from a session's own text and computed along with it.",
            Double(scheduler.draftedTokensTotal)
        )
        page.add(
            "accepted_tokens_total",
            "counter",
            "Guessed tokens that were sampled then.",
            Double(scheduler.acceptedTokensTotal)
        )
    }

    private func addGauges(_ scheduler: SchedulerStatistics, _ uptimeSeconds: Double, to page: inout MetricsPage) {
        page.add("sessions_waiting", "gauge", "Sessions that wait for a place.", Double(scheduler.sessionsWaiting))
        page.add("sessions_running", "gauge", "Sessions that hold KV blocks.", Double(scheduler.sessionsRunning))
        page.add("kv_blocks", "gauge", "KV blocks in all.", Double(scheduler.blocksTotal))
        page.add("kv_blocks_used", "gauge", "KV blocks that belong to sessions.", Double(scheduler.blocksInUse))
        page.add(
            "kv_blocks_cached",
            "gauge",
            "KV blocks kept for later prompts, held by no session.",
            Double(scheduler.blocksCached)
        )
        page.add(
            "kv_usage_ratio",
            "gauge",
            "Share of the KV blocks that belong to sessions, from 0 to 1.",
            scheduler.blocksTotal > 0 ? Double(scheduler.blocksInUse) / Double(scheduler.blocksTotal) : 0
        )
        page.add(
            "tokens_per_second",
            "gauge",
            "Generated tokens, over the last few seconds.",
            scheduler.tokensPerSecond
        )
        page.add("uptime_seconds", "gauge", "Time since the server's start.", uptimeSeconds)
    }
}

/// What does not change while a server runs, as labels.
struct ServerFacts: Sendable {
    var version: String
    var engine: EngineDescription

    fileprivate var build: [(name: String, value: String)] {
        [("version", version), ("kernels", engine.kernelVariant)]
    }

    fileprivate var model: [(name: String, value: String)] {
        [
            ("model", engine.modelID), ("architecture", engine.architecture), ("quantization", engine.quantization),
        ]
    }
}

/// A page of metrics under construction.
private struct MetricsPage {
    var text = ""

    /// The names and meanings that all clients of Prometheus share.
    mutating func add(_ process: ProcessFigures) {
        for (name, type, help, value) in [
            ("cpu_seconds_total", "counter", "User and system CPU time.", process.cpuSeconds),
            ("resident_memory_bytes", "gauge", "Resident memory.", Double(process.residentBytes)),
            ("virtual_memory_bytes", "gauge", "Virtual memory.", Double(process.virtualBytes)),
            ("open_fds", "gauge", "Open file descriptors.", Double(process.openDescriptors)),
            ("max_fds", "gauge", "How many file descriptors may be open.", process.maxDescriptors),
            ("start_time_seconds", "gauge", "When the process began, in seconds since 1970.", process.startTime),
        ] {
            head("process_\(name)", type, help)
            text += "process_\(name) \(MetricsPage.number(value))\n"
        }
    }

    /// A constant that tells something by its labels.
    mutating func add(_ name: String, _ type: String, _ help: String, _ labels: [(name: String, value: String)]) {
        let pairs = labels.map { "\($0.name)=\"\(MetricsPage.escaped($0.value))\"" }
        add(name, type, help, [("{\(pairs.joined(separator: ","))}", 1)])
    }

    /// A label's value: a model's name may hold anything.
    private static func escaped(_ value: String) -> String {
        value.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            .replacingOccurrences(of: "\n", with: "\\n")
    }

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func add(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: Double)]) {
        head("pensieve_\(name)", type, help)
        for sample in samples { text += "pensieve_\(name)\(sample.labels) \(MetricsPage.number(sample.value))\n" }
    }

    mutating func add(_ name: String, _ type: String, _ help: String, _ value: Double) {
        add(name, type, help, [("", value)])
    }

    mutating func add(_ name: String, _ help: String, _ histogram: Histogram) {
        head("pensieve_\(name)", "histogram", help)
        text += histogram.lines("pensieve_\(name)")
    }

    private static func number(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? String(value)
    }
}
