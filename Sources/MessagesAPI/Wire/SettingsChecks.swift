/// Checks of the fields that set how to answer, beyond those that `MessagesRequest` keeps.
extension JSON {
    /// Threads must never be ignored: the next request would hold only the new messages. With this code the official
    /// runner repeats the turn without a thread.
    func checkThread() throws(FieldError) {
        guard let thread = self["thread"], thread != .null else { return }
        throw FieldError(
            "message threads are not supported",
            at: "thread",
            details: ["error_code": "thread_unsupported_request", "unsupported": []]
        )
    }

    func checkThinking(maxTokens: Int?, _ unsupported: inout Unsupported) throws(FieldError) {
        guard let thinking = self["thinking"] else { return }
        try unsupported.at("thinking") { (unsupported) throws(FieldError) in
            try thinking.checkObject()
            let type = try thinking.required("type") { (value) throws(FieldError) in
                try value.word(of: ["enabled", "adaptive", "between_tools", "disabled"])
            }
            // Clients add words with every release, and without thinking all of them come to the same.
            _ = try thinking.nullable("display") { (value) throws(FieldError) in try value.string() }
            guard type == "enabled" else { return }
            try thinking.required("budget_tokens") { (value) throws(FieldError) in
                let budget = try value.integer(atLeast: 1024)
                guard budget < maxTokens ?? .max else { throw FieldError("Input should be less than max_tokens") }
            }
            unsupported.note(FieldError("extended thinking is not supported by this model"))
        }
    }

    func checkOutputConfig(_ unsupported: inout Unsupported) throws(FieldError) {
        if let config = self["output_config"], config != .null {
            try unsupported.at("output_config") { (unsupported) throws(FieldError) in
                try config.checkObject()
                _ = try config.nullable("effort") { (value) throws(FieldError) in
                    try value.word(of: ["low", "medium", "high", "xhigh", "max"])
                }
                try config.checkOutputFormat("format", &unsupported)
            }
        }
        // The name that the beta of structured outputs had for it.
        try checkOutputFormat("output_format", &unsupported)
    }

    private func checkOutputFormat(_ name: String, _ unsupported: inout Unsupported) throws(FieldError) {
        guard let format = self[name], format != .null else { return }
        try unsupported.at(name) { (unsupported) throws(FieldError) in
            try format.checkObject()
            _ = try format.required("type") { (value) throws(FieldError) in try value.word(of: ["json_schema"]) }
            try format.required("schema") { (value) throws(FieldError) in try value.checkObject() }
            unsupported.note(FieldError("structured output is not supported yet"))
        }
    }

    /// A `cache_control` anywhere; prefixes are cached whether asked for or not.
    func checkCacheControl() throws(FieldError) {
        _ = try nullable("cache_control") { (value) throws(FieldError) in
            try value.checkObject()
            _ = try value.required("type") { (value) throws(FieldError) in try value.word(of: ["ephemeral"]) }
            _ = try value.nullable("ttl") { (value) throws(FieldError) in try value.string() }
        }
    }

    /// Fields that are checked and change nothing, and fields that only null is honest for.
    func checkIgnoredFields(_ unsupported: inout Unsupported) throws(FieldError) {
        try checkCacheControl()
        _ = try optional("metadata") { (value) throws(FieldError) in
            try value.checkObject()
            _ = try value.nullable("user_id") { (value) throws(FieldError) in try value.string() }
        }
        _ = try nullable("service_tier") { (value) throws(FieldError) in try value.string() }
        _ = try nullable("context_management") { (value) throws(FieldError) in
            try value.checkObject()
            _ = try value.nullable("edits") { (value) throws(FieldError) in
                try value.array().each { (edit) throws(FieldError) in
                    try edit.checkObject()
                    _ = try edit.required("type") { (value) throws(FieldError) in try value.string() }
                }
            }
        }
        for name in ["container", "compaction"] where self[name] ?? .null != .null {
            unsupported.note(FieldError("not supported", at: name))
        }
        let servers = try nullable("mcp_servers") { (value) throws(FieldError) in try value.array() } ?? []
        if !servers.isEmpty { unsupported.note(FieldError("not supported", at: "mcp_servers")) }
    }
}
