import EngineContract
import Foundation
import HTTPFront
import JSON
import Scheduling
import Testing

@testable import MessagesAPI

@Suite("Models, health and metrics", .timeLimit(.minutes(1))) struct RoutesTests {
    /// A model, and what it can do.
    private func split(_ model: JSONValue) throws -> (JSONValue, JSONValue) {
        guard case .object(let members) = model else { return (model, nil) }
        return (.object(members.filter { $0.name != "capabilities" }), try #require(model["capabilities"]))
    }

    @Test("The list of models comes in pages, forward and backward, as the SDK asks for them")
    func models() async throws {
        let api = try TestAPI(answering: [], contextLength: 5000)
        let whole = try await api.send("GET", "/v1/models").json
        let model: JSONValue = [
            "type": "model", "id": "test/model", "display_name": "A script", "created_at": "2026-01-02T03:04:05Z",
            "lifecycle": "active", "max_input_tokens": 5000, "max_tokens": 5000,
        ]
        let (first, capabilities) = try split(try #require(try whole["data"]?.array().first))
        #expect(first == model)
        #expect(capabilities["structured_outputs"] == ["supported": true])
        #expect(capabilities["image_input"] == ["supported": false])
        for (query, ids, hasMore) in [
            ("", ["test/model", "claude-local"], false),
            ("?limit=1000&beta=true", ["test/model", "claude-local"], false),
            ("?limit=1", ["test/model"], true), ("?limit=1&after_id=test%2Fmodel", ["claude-local"], false),
            ("?after_id=claude-local", [], false), ("?before_id=claude-local", ["test/model"], false),
            ("?limit=%31&after_id=&before_id=", ["test/model"], true), ("?before_id=test/model", [], false),
        ] as [(String, [String], Bool)] {
            let page = try await api.send("GET", "/v1/models\(query)").json
            #expect(try page["data"]?.array().map { try $0["id"]?.string() } == ids, "\(query)")
            #expect(page["has_more"] == .bool(hasMore), "\(query)")
            #expect(page["first_id"] == .optional(ids.first) && page["last_id"] == .optional(ids.last), "\(query)")
        }
        for query in [
            "limit=0", "limit=1001", "limit=x", "limit=", "limit=1.5", "limit=+5", "limit=%zz", "limit=-1",
            "after_id=x",
            "before_id=x", "limit=99999999999999999999", "after_id=test/model&before_id=claude-local",
        ] {
            let reply = try await api.send("GET", "/v1/models?\(query)")
            #expect(try reply.status == 400 && reply.errorType() == "invalid_request_error", "\(query)")
            #expect(reply.errorMessage.contains(query.prefix { $0 != "=" }) || query.contains("&"), "\(query)")
        }
        #expect(try await api.send("GET", "/v1/models/claude-local").json["id"] == "claude-local")
        let named = try split(try await api.send("GET", "/v1/models/test%2Fmodel").json).0
        #expect(named == model)
        // Whatever a request may ask for.
        let other = try await api.send("GET", "/v1/models/claude-opus-5-5")
        #expect(try other.status == 200 && other.json["id"] == "claude-opus-5-5")
        #expect(try other.json["display_name"] == "A script (the same model as test/model)")
        #expect(try await api.ask(#","model":"claude-opus-5-5""#).status == 200)
        let tooLong = String(repeating: "m", count: 1025)
        #expect(try await api.send("GET", "/v1/models/\(tooLong)").errorType() == "not_found_error")
        #expect(try await api.ask(",\"model\":\"\(tooLong)\"").status == 400)
    }

    @Test("Health has the founding document's fields, measured")
    func health() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        // The rate is that of the last seconds, which a busy machine may let pass between two requests.
        let isMeasured = await eventually {
            guard let health = try? await api.ask().status == 200 ? api.send("GET", "/health").json : nil,
                case .double(let rate)? = health["performance"]?["tokens_per_second"],
                case .double(let memory)? = health["performance"]?["memory_utilization_percent"]
            else { return false }
            return rate > 0 && memory > 0 && memory < 100
        }
        #expect(isMeasured)
        let health = try await api.send("GET", "/health", headers: [:]).json
        #expect(health["status"] == "healthy" && health["model"] == "test/model" && health["mock"] == true)
        for field in ["version", "framework"] { #expect(try !(health[field]?.string() ?? "").isEmpty) }
        #expect(health["performance"]?["gpu_utilization_percent"] == 0)
        #expect(health["sessions"] == ["waiting": 0, "running": 0])
        #expect(health["kv_blocks"] == ["total": 1024, "in_use": 0, "cached": 0])
        let stamp = try #require(try health["timestamp"]?.string())
        let time = try Date(stamp, strategy: .iso8601)
        #expect(stamp.hasSuffix("Z") && abs(time.timeIntervalSinceNow) < 60)
    }

    private func finish(_ reply: Reply, of api: TestAPI, seconds: Double) {
        api.api.finished(FinishedRequest(head: nil, status: reply.status, seconds: seconds, record: reply.record))
    }

    @Test("Metrics are valid Prometheus text with a series for everything that operators ask for")
    func metrics() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        for fields in ["", #","stream":true"#, #","max_tokens":-1"#] {
            finish(try await api.ask(fields), of: api, seconds: 0.004)
        }
        finish(try await api.send("GET", "/\"\\\n?x"), of: api, seconds: 1000)
        let malformed = api.api.response(to: .badRequest("x"), requestID: "req_1")
        finish(try await Reply(malformed), of: api, seconds: 0)
        let reply = try await api.send("GET", "/metrics", headers: [:])
        #expect(reply.headers[first: "content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        let page = try PrometheusPage(reply.body)
        #expect(page.samples[#"pensieve_requests_total{route="/v1/messages",status="200"}"#] == 2)
        #expect(page.samples[#"pensieve_requests_total{route="/v1/messages",status="400"}"#] == 1)
        #expect(page.samples[#"pensieve_requests_total{route="other",status="404"}"#] == 1)
        #expect(page.samples[#"pensieve_requests_total{route="malformed",status="400"}"#] == 1)
        #expect(page.samples["pensieve_prompt_tokens_total"] == 16)
        #expect(page.samples["pensieve_generated_tokens_total"] == 6)
        #expect(page.samples["pensieve_time_to_first_token_seconds_count"] == 2)
        #expect(page.samples["pensieve_inter_token_latency_seconds_count"] == 4)
        #expect(page.samples[#"pensieve_request_seconds_bucket{le="0.005"}"#] == 4)
        #expect(page.samples["pensieve_request_seconds_count"] == 5)
        #expect(page.samples[#"pensieve_step_part_seconds_total{part="scheduling"}"#] ?? 0 > 0)
        for part in ["matmul", "quantization", "attention", "elementwise", "constraint", "sampling", "other"] {
            #expect(page.samples[#"pensieve_step_part_seconds_total{part="\#(part)"}"#] != nil, "\(part)")
        }
        for name in ["drafted", "accepted"] {
            for source in ["text", "head"] {
                #expect(page.samples[#"pensieve_\#(name)_tokens_total{source="\#(source)"}"#] == 0)
            }
        }
        #expect(page.samples[#"pensieve_build_info{version="0",kernels="none"}"#] == 1)
        let model = #"pensieve_model_info{model="test/model",architecture="none",quantization="none"}"#
        #expect(page.samples[model] == 1)
        let counters = [
            "thinking_tokens_total", "cancellations_total", "preemptions_total", "prefix_cache_hit_tokens_total",
            "drafted_tokens_total",
            "accepted_tokens_total", "forced_tokens_total", "step_part_seconds_total",
        ]
        let gauges = ["kv_blocks_used", "kv_usage_ratio", "sessions_waiting", "sessions_running", "uptime_seconds"]
        let histograms = ["queue_seconds", "step_seconds", "batch_size"]
        for (type, names) in [("counter", counters), ("gauge", gauges), ("histogram", histograms)] {
            for name in names { #expect(page.types["pensieve_\(name)"] == type, "\(name)") }
        }
    }

    @Test("What whole answers thought with is counted")
    func thinkingTokens() async throws {
        let api = try TestAPI(answering: Script.bytes("<think>Hm</think>Yes"), template: ThinkingTests.template)
        let plain = try await api.ask(#","thinking":{"type":"adaptive"}"#)
        let counted = try plain.json["usage"]?["output_tokens_details"]?["thinking_tokens"]?.integer() ?? 0
        finish(plain, of: api, seconds: 0)
        finish(try await api.ask(#","stream":true,"thinking":{"type":"adaptive"}"#), of: api, seconds: 0)
        finish(try await api.ask(#","max_tokens":-1"#), of: api, seconds: 0)
        let page = try PrometheusPage(try await api.send("GET", "/metrics", headers: [:]).body)
        #expect(counted > 10 && page.samples["pensieve_thinking_tokens_total"] == 2 * Double(counted))
    }

    @Test("Metrics tell of the process under the names that every dashboard knows")
    func processStatistics() async throws {
        let api = try TestAPI(answering: [])
        let page = try PrometheusPage(try await api.send("GET", "/metrics", headers: [:]).body)
        let values = try [
            "process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes",
            "process_virtual_memory_bytes", "process_open_fds", "process_max_fds",
        ].map { try #require(page.samples[$0], "\($0)") }
        #expect(page.types["process_cpu_seconds_total"] == "counter" && page.types["process_open_fds"] == "gauge")
        let age = Date().timeIntervalSince1970 - values[0]
        // As old as this run of tests, which is younger than a day.
        #expect(age > 0 && age < 86400)
        #expect(values[1] > 0 && values[1] < age * Double(ProcessInfo.processInfo.processorCount) + 1)
        #expect(values[2] > 1_048_576 && values[2] < values[3])
        // Standard input, output and error at least.
        #expect(values[4] >= 3 && values[4] <= values[5])
        // The start does not move.
        let later = try PrometheusPage(try await api.send("GET", "/metrics", headers: [:]).body)
        #expect(later.samples["process_start_time_seconds"] == values[0])
    }

    @Test("A model's name cannot break the page of metrics")
    func hostileLabel() throws {
        var engine = Script.description()
        engine.modelID = "a\"b\\c\nd"
        let text = Metrics().prometheusText(
            SchedulerStatistics(),
            about: ServerFacts(version: "1", engine: engine),
            uptimeSeconds: 0,
            process: nil
        )
        let page = try PrometheusPage(text)
        let series = #"pensieve_model_info{model="a\"b\\c\nd",architecture="none",quantization="none"}"#
        #expect(page.samples[series] == 1)
    }

    @Test("Health is 503 once the server is about to end; everything else is served as before")
    func draining() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        #expect(try await api.send("GET", "/health").status == 200)
        api.api.startDraining()
        let health = try await api.send("GET", "/health", headers: [:])
        #expect(try health.status == 503 && health.json["status"] == "draining" && health.json["sessions"] != nil)
        #expect(try await api.ask().status == 200)
        #expect(try await api.send("GET", "/metrics").status == 200)
    }
}

/// A page in Prometheus's text format, read by its rules.
struct PrometheusPage {
    private(set) var types: [String: String] = [:]
    private(set) var samples: [String: Double] = [:]

    /// Fails at whatever the format does not allow: a family in two places, a sample without its type or twice, a name,
    /// label or number that is malformed, a histogram whose buckets fall or do not end in its count.
    init(_ text: String) throws {
        try #require(text.hasSuffix("\n"))
        var family = ""
        for line in text.split(separator: "\n") {
            if let head = line.wholeMatch(of: /# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)/) {
                let name = String(head.2)
                if head.1 == "HELP" {
                    try #require(types[name] == nil && name != family, "\(line)")
                    family = name
                } else {
                    try #require(name == family && types[name] == nil, "\(line)")
                    try #require(["counter", "gauge", "histogram"].contains(head.3), "\(line)")
                    types[name] = String(head.3)
                }
                continue
            }
            let label = #/[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"/#
            let pattern = #/([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+0-9.eE]+)/#
            let sample = try #require(try pattern.wholeMatch(in: line), "\(line)")
            for part in (sample.2 ?? "").split(separator: ",") {
                try #require(try label.wholeMatch(in: part) != nil, "\(line)")
            }
            let suffixes = types[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
            try #require(suffixes.contains { sample.1 == family + $0 }, "\(line)")
            let series = String(line.prefix { $0 != " " })
            try #require(samples[series] == nil, "\(line)")
            let value = try #require(Double(String(sample.3)), "\(line)")
            samples[series] = value
        }
        for (name, type) in types where type == "histogram" { try checkHistogram(name) }
    }

    private func checkHistogram(_ name: String) throws {
        let buckets = samples.compactMap { series, count -> (bound: Double, count: Double)? in
            guard let match = series.wholeMatch(of: /(.+)_bucket\{le="(.+)"\}/), match.1 == name else { return nil }
            return (match.2 == "+Inf" ? .infinity : Double(match.2) ?? .nan, count)
        }
        let sorted = buckets.sorted { $0.bound < $1.bound }
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0.count <= $1.count }, "\(name)")
        #expect(sorted.count > 1 && sorted.allSatisfy { !$0.bound.isNaN } && sorted.last?.bound == .infinity, "\(name)")
        #expect(sorted.last?.count == samples["\(name)_count"] && samples["\(name)_sum"] != nil, "\(name)")
    }
}
