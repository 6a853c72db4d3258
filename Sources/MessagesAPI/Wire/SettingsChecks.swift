import JSON

/// Checks of the fields that set how to answer, beyond those that `MessagesRequest` keeps.
extension JSONNode {
    /// Of the `thinking` field.
    func checkThinking(maxTokens: Int?, _ unsupported: inout Unsupported) throws(JSONError) {
        let type = try self["type"].string(oneOf: ["enabled", "adaptive", "between_tools", "disabled"])
        // Clients add words with every release, and without thinking all of them come to the same.
        _ = try self["display"].nullable?.string()
        guard type == "enabled" else { return }
        let budget = self["budget_tokens"]
        guard try budget.int(in: 1024...) < maxTokens ?? .max else {
            throw budget.error("Input should be less than max_tokens")
        }
        unsupported.note(self, "extended thinking is not supported by this model")
    }

    func checkOutputConfig(_ unsupported: inout Unsupported) throws(JSONError) {
        if let config = try self["output_config"].nullable {
            _ = try config["effort"].nullable?.string(oneOf: ["low", "medium", "high", "xhigh", "max"])
            try config["format"].nullable?.checkOutputFormat(&unsupported)
        }
        // The name that the beta of structured outputs had for it.
        try self["output_format"].nullable?.checkOutputFormat(&unsupported)
    }

    private func checkOutputFormat(_ unsupported: inout Unsupported) throws(JSONError) {
        _ = try self["type"].string(oneOf: ["json_schema"])
        try self["schema"].checkObject()
        unsupported.note(self, "structured output is not supported yet")
    }

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
