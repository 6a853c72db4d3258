import EngineContract
import Scheduling

extension Metrics {
    /// Everything in Prometheus's text format, version 0.0.4.
    func prometheusText(
        _ scheduler: SchedulerStatistics,
        about server: ServerFacts,
        uptimeSeconds: Double,
        process: ProcessStatistics?
    ) -> String {
        let counts = current
        var page = MetricsPage()
        page.add("build_info", "gauge", "What runs here; always 1.", server.build)
        page.add("model_info", "gauge", "The model that is served; always 1.", server.model)
        addRequests(counts, to: &page)
        addTokens(counts, to: &page)
        addSessions(counts, to: &page)
        addLatencies(counts, to: &page)
        addSteps(counts, scheduler.stepTimes, to: &page)
        addSpeculation(scheduler, to: &page)
        addGauges(scheduler, uptimeSeconds, to: &page)
        if let process { page.add(process) }
        return page.text
    }

    private func addRequests(_ counts: Counts, to page: inout MetricsPage) {
        let requests = counts.requests.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
        page.add(
            "requests_total",
            "counter",
            "Finished requests by route and status.",
            requests.map { ("{route=\"\($0.key.route)\",status=\"\($0.key.status)\"}", Double($0.value)) }
        )
        page.add("request_seconds", "Time from a request's head to the end of its response.", counts.requestSeconds)
    }

    private func addTokens(_ counts: Counts, to page: inout MetricsPage) {
        page.add("prompt_tokens_total", "counter", "Prompt tokens of ended sessions.", Double(counts.promptTokens))
        page.add(
            "generated_tokens_total",
            "counter",
            "Tokens sampled by ended sessions.",
            Double(counts.generatedTokens)
        )
        page.add(
            "thinking_tokens_total",
            "counter",
            "Generated tokens that whole answers thought with.",
            Double(counts.thinkingTokens)
        )
        page.add(
            "prefix_cache_hit_tokens_total",
            "counter",
            "Prompt tokens that were found computed, in ended sessions.",
            Double(counts.cachedTokens)
        )
    }

    private func addSessions(_ counts: Counts, to page: inout MetricsPage) {
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
    }

    private func addLatencies(_ counts: Counts, to page: inout MetricsPage) {
        page.add(
            "time_to_first_token_seconds",
            "Time from a session's submission to its first token.",
            counts.firstToken
        )
        page.add("inter_token_latency_seconds", "Time between two tokens of a session.", counts.interToken)
        page.add("queue_seconds", "Time from submission to the first share of a step.", counts.queued)
    }

    private func addSteps(_ counts: Counts, _ times: StepTimes, to page: inout MetricsPage) {
        page.add("step_seconds", "Time of an engine step.", counts.step)
        page.add("step_tokens", "Tokens computed in a step.", counts.stepTokens)
        page.add("batch_size", "Sessions computed together in a step.", counts.stepSessions)
        page.add(
            "step_part_seconds_total",
            "counter",
            "Time of steps by what it went into.",
            times.parts.map { ("{part=\"\($0.key)\"}", $0.value) }
        )
    }

    private func addSpeculation(_ scheduler: SchedulerStatistics, to page: inout MetricsPage) {
        page.add(
            "drafted_tokens_total",
            "counter",
            "Tokens drafted and computed along, by where they came from: a session's own text, recent texts of others that "
                + "begin alike, the model's draft head, or a draft model.",
            Self.bySource(scheduler) { $0.drafted }
        )
        page.add(
            "accepted_tokens_total",
            "counter",
            "Drafted tokens that were sampled then.",
            Self.bySource(scheduler) { $0.accepted }
        )
        page.add(
            "forced_tokens_total",
            "counter",
            "Tokens that an answer's form left no choice about, delivered without being sampled.",
            Double(scheduler.forcedTokensTotal)
        )
    }

    private static func bySource(
        _ scheduler: SchedulerStatistics,
        _ count: (DraftCounts) -> Int
    ) -> [(labels: String, value: Double)] {
        DraftSource.allCases.map { source in
            ("{source=\"\(source.rawValue)\"}", Double(count(scheduler.drafts[source] ?? DraftCounts())))
        }
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
        if scheduler.stateSlotsTotal > 0 { addStates(scheduler, to: &page) }
        page.add(
            "tokens_per_second",
            "gauge",
            "Generated tokens, over the last few seconds.",
            scheduler.tokensPerSecond
        )
        page.add("uptime_seconds", "gauge", "Time since the server's start.", uptimeSeconds)
    }
}

extension Metrics {
    /// Of models with recurrent layers.
    private func addStates(_ scheduler: SchedulerStatistics, to page: inout MetricsPage) {
        page.add("state_slots", "gauge", "Slots of state memory in all.", Double(scheduler.stateSlotsTotal))
        page.add("state_slots_used", "gauge", "State slots that sessions have.", Double(scheduler.stateSlotsInUse))
        page.add(
            "state_snapshots",
            "gauge",
            "State slots that hold snapshots, from which later prompts continue.",
            Double(scheduler.stateSnapshots)
        )
    }
}

/// What does not change while a server runs, as labels.
struct ServerFacts: Sendable {
    var version: String
    var engine: EngineDescription

    var build: [(name: String, value: String)] {
        [("version", version), ("kernels", engine.kernelVariant)]
    }

    var model: [(name: String, value: String)] {
        [
            ("model", engine.modelID), ("architecture", engine.architecture), ("quantization", engine.quantization),
        ]
    }
}
