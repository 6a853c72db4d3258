import Console
import Foundation
import JSON

/// The status of a running server, from `/health` and, if available, `/metrics`.
struct ServerStatus: Encodable {
    struct Sessions: Encodable {
        var running: Int
        var waiting: Int
    }

    struct Blocks: Encodable {
        var total: Int
        var in_use: Int
        var cached: Int
    }

    /// Totals since the server's start.
    struct Totals: Encodable {
        /// Complete or not.
        var answers: Int
        var promptTokens: Int
        var cachedTokens: Int
        var generatedTokens: Int
    }

    var address: String
    var status: String
    var model: String
    var version: String
    var isMock: Bool
    var uptimeSeconds: Double
    var tokensPerSecond: Double
    var memoryPercent: Double
    var residentBytes: Int?
    var sessions: Sessions
    var kvBlocks: Blocks
    var totals: Totals?

    /// - Returns: nil for a document that is not from this program.
    init?(address: String, health: [UInt8]) {
        do throws(JSONError) {
            try self.init(address: address, JSONDocument(health).root)
        } catch {
            return nil
        }
    }

    private init(address: String, _ health: JSONNode) throws(JSONError) {
        _ = try health["framework"].string(oneOf: ["Pensieve"])
        self.address = address
        status = try health["status"].string().visible
        model = try health["model"].string().visible
        version = try health["version"].string().visible
        isMock = try health["mock"].bool()
        uptimeSeconds = try health["uptime_seconds"].double()
        tokensPerSecond = try health["performance"]["tokens_per_second"].double()
        memoryPercent = try health["performance"]["memory_utilization_percent"].double()
        let (sessions, blocks) = (health["sessions"], health["kv_blocks"])
        self.sessions = Sessions(running: try sessions["running"].int(), waiting: try sessions["waiting"].int())
        kvBlocks = Blocks(
            total: try blocks["total"].int(),
            in_use: try blocks["in_use"].int(),
            cached: try blocks["cached"].int()
        )
    }

    /// Adds the values that only the metrics have.
    mutating func add(metrics: [UInt8]) {
        let page = MetricsSamples(String(decoding: metrics, as: UTF8.self))
        residentBytes = page.sum("process_resident_memory_bytes")
        guard let prompt = page.sum("pensieve_prompt_tokens_total"),
            let cached = page.sum("pensieve_prefix_cache_hit_tokens_total"),
            let generated = page.sum("pensieve_generated_tokens_total")
        else { return }
        // There are no samples before the first answer has ended.
        let answers = page.sum("pensieve_sessions_finished_total") ?? 0
        totals = Totals(answers: answers, promptTokens: prompt, cachedTokens: cached, generatedTokens: generated)
    }
}

/// The samples of a page in Prometheus' text format, summed over their labels.
struct MetricsSamples {
    private var sums: [Substring: Double] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let name = line.prefix { $0 != "{" && $0 != " " }
            // Label values may contain spaces; the sample's value follows the last one.
            guard let last = line.split(separator: " ").last, let value = Double(last), value.isFinite else { continue }
            sums[name, default: 0] += value
        }
    }

    /// Nil if the page has no such metric.
    func sum(_ name: String) -> Int? { sums[name[...]].flatMap { Int(exactly: $0.rounded()) } }
}

extension ServerStatus {
    /// For display, in 80 columns unless names are long.
    var text: String {
        let what = status == "healthy" ? "runs" : "is \(status)"
        var lines = ["Pensieve \(version) at \(address) \(what)", ""]
        lines.append(Self.field("model", isMock ? "none: --mock answers with the request's own text" : model))
        lines.append(Self.field("up", Self.duration(uptimeSeconds)))
        lines.append(Self.field("sessions", "\(sessions.running) running, \(sessions.waiting) waiting"))
        lines.append(Self.field("speed", String(format: "%.1f tokens per second", tokensPerSecond)))
        lines.append(
            Self.field(
                "KV memory",
                "\(share(kvBlocks.in_use)) in use, \(share(kvBlocks.cached)) cached, of "
                    + "\(Format.count(kvBlocks.total)) blocks"
            )
        )
        let percent = String(format: "%.1f %% of the machine's", memoryPercent)
        lines.append(Self.field("memory", residentBytes.map { "\(Format.bytes($0)) resident, \(percent)" } ?? percent))
        if let totals {
            lines.append(
                Self.field(
                    "so far",
                    "\(Format.count(totals.answers)) \(totals.answers == 1 ? "answer" : "answers"), "
                        + "\(Format.count(totals.promptTokens)) prompt tokens ("
                        + "\(Format.count(totals.cachedTokens)) cached), "
                        + "\(Format.count(totals.generatedTokens)) generated"
                )
            )
        }
        return lines.joined(separator: "\n")
    }

    private static func field(_ name: String, _ value: String) -> String {
        TextWrap.field(name, value).joined(separator: "\n")
    }

    private func share(_ blocks: Int) -> String {
        kvBlocks.total > 0 ? String(format: "%.1f %%", Double(blocks) / Double(kvBlocks.total) * 100) : "none"
    }

    /// 12 s, 3 min 20 s, 5 h 12 min, 4 days 3 h.
    private static func duration(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 1e9))
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min \(whole % 60) s"
        case ..<86400: return "\(whole / 3600) h \(whole / 60 % 60) min"
        default: return "\(whole / 86400) \(whole < 172_800 ? "day" : "days") \(whole / 3600 % 24) h"
        }
    }
}
