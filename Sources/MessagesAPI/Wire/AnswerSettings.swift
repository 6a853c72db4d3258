import Chat
import JSON

/// The `thinking` field, and `output_config.effort`.
struct ThinkingSettings: Sendable, Equatable {
    /// Whether the model is asked to think, if it can.
    var isOn = false
    /// The most tokens of thinking that the client asks for.
    var budget: Int?
    var effort: ThinkingEffort?
    /// Whether the client wants no text of it, only its place.
    var isOmitted = false

    init(_ body: JSONNode, maxTokens: Int?) throws(JSONError) {
        effort = try body["output_config"].nullable?["effort"].nullable?.oneOf(ThinkingEffort.self)
        guard let thinking = try body["thinking"].nullable else { return }
        let type = try thinking["type"].string(oneOf: ["enabled", "adaptive", "between_tools", "disabled"])
        // Clients add words with every release; all but this one come to the same.
        isOmitted = try thinking["display"].nullable?.string() == "omitted"
        // Between tools there is no thinking, only short reports, which a local model writes as text.
        isOn = type == "enabled" || type == "adaptive"
        guard type == "enabled" else { return }
        let node = thinking["budget_tokens"]
        let budget = try node.int(in: 1024...)
        guard budget < maxTokens ?? .max else { throw node.error("Input should be less than max_tokens") }
        self.budget = budget
    }
}

enum OutputFormat {
    /// As of all tools together.
    private static let maxBytes = 2 << 20

    /// The schema of `output_config.format`, or of the name that the beta of structured outputs had for it.
    static func schema(_ body: JSONNode) throws(JSONError) -> JSONNode? {
        let formats = [try body["output_config"].nullable?["format"].nullable, try body["output_format"].nullable]
        var schemas: [JSONNode] = []
        for case let format? in formats {
            _ = try format["type"].string(oneOf: ["json_schema"])
            try format["schema"].checkObject()
            guard format["schema"].source.count <= maxBytes else {
                throw format["schema"].error("the schema should have at most \(maxBytes) bytes")
            }
            schemas.append(format["schema"])
        }
        return schemas.first
    }
}

/// Checks of the fields that set how to answer, beyond those that `MessagesRequest` keeps.
extension JSONNode {
    /// A `cache_control` anywhere; prefixes are cached whether asked for or not.
    func checkCacheControl() throws(JSONError) {
        guard let control = try self["cache_control"].nullable else { return }
        _ = try control["type"].string(oneOf: ["ephemeral"])
        _ = try control["ttl"].nullable?.string()
    }

    /// Fields that are checked and change nothing, and fields that only null is honest for.
    func checkIgnoredFields(_ unsupported: inout Unsupported) throws(JSONError) {
        try checkCacheControl()
        _ = try self["metadata"].optional?["user_id"].nullable?.string()
        _ = try self["service_tier"].nullable?.string()
        if let edits = try self["context_management"].nullable?["edits"].nullable {
            for edit in try edits.elements() { _ = try edit["type"].string() }
        }
        for name in ["container", "compaction"] {
            if let field = try self[name].nullable { unsupported.note(field, "not supported") }
        }
        if let servers = try self["mcp_servers"].nullable, try servers.elements().contains(where: { _ in true }) {
            unsupported.note(servers, "not supported")
        }
    }
}
