import EngineContract
package import Scheduling

extension Metrics {
    /// Everything in Prometheus's text format, version 0.0.4.
    package func prometheusText(_ scheduler: SchedulerStatistics, uptimeSeconds: Double = 0) -> String {
        let counts = current
        var page = MetricsPage()
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
            "tokens_per_second",
            "gauge",
            "Generated tokens, over the last few seconds.",
            scheduler.tokensPerSecond
        )
        page.add("uptime_seconds", "gauge", "Time since the server's start.", uptimeSeconds)
    }
}

/// A page of metrics under construction.
private struct MetricsPage {
    var text = ""

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        text += "# HELP pensieve_\(name) \(help)\n# TYPE pensieve_\(name) \(type)\n"
    }

    mutating func add(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: Double)]) {
        head(name, type, help)
        for sample in samples { text += "pensieve_\(name)\(sample.labels) \(MetricsPage.number(sample.value))\n" }
    }

    mutating func add(_ name: String, _ type: String, _ help: String, _ value: Double) {
        add(name, type, help, [("", value)])
    }

    mutating func add(_ name: String, _ help: String, _ histogram: Histogram) {
        head(name, "histogram", help)
        text += histogram.lines("pensieve_\(name)")
    }

    private static func number(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? String(value)
    }
}
