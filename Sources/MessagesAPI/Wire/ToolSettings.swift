/// The `tools` and `tool_choice` fields: checked, and refused until there are tools.
struct ToolSettings: Sendable {
    var names: Set<String> = []

    static func check(_ body: JSON, _ unsupported: inout Unsupported) throws(FieldError) -> ToolSettings {
        guard let value = body["tools"] else { return ToolSettings() }
        return try unsupported.at("tools") { (unsupported) throws(FieldError) in
            var settings = ToolSettings()
            for (index, tool) in try value.array().enumerated() {
                try unsupported.at(String(index)) { (unsupported) throws(FieldError) in
                    try settings.add(tool, &unsupported)
                }
            }
            if !settings.names.isEmpty { unsupported.note(FieldError("tools are not supported yet")) }
            return settings
        }
    }

    private mutating func add(_ tool: JSON, _ unsupported: inout Unsupported) throws(FieldError) {
        try tool.checkObject()
        let type = try tool.nullable("type") { (value) throws(FieldError) in try value.string() } ?? "custom"
        let name = try tool.required("name") { (value) throws(FieldError) in
            let name = try value.string()
            guard ToolSettings.isValidName(name) else {
                throw FieldError("String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
            }
            return name
        }
        guard names.insert(name).inserted else { throw FieldError("Tool names must be unique", at: "name") }
        try tool.checkCacheControl()
        _ = try tool.optional("description") { (value) throws(FieldError) in try value.string() }
        if type == "custom" {
            try tool.required("input_schema") { (value) throws(FieldError) in try value.checkObject() }
        } else {
            unsupported.note(FieldError("server tools are not supported", at: "type"))
        }
    }

    private static func isValidName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

extension JSON {
    func checkToolChoice(_ tools: ToolSettings) throws(FieldError) {
        _ = try optional("tool_choice") { (choice) throws(FieldError) in
            try choice.checkObject()
            let type = try choice.required("type") { (value) throws(FieldError) in
                try value.word(of: ["auto", "any", "tool", "none"])
            }
            _ = try choice.optional("disable_parallel_tool_use") { (value) throws(FieldError) in try value.bool() }
            guard type == "any" || type == "tool" else { return }
            guard !tools.names.isEmpty else {
                throw FieldError("'\(type)' needs at least one tool in tools", at: "type")
            }
            guard type == "tool" else { return }
            let name = try choice.required("name") { (value) throws(FieldError) in try value.string() }
            guard tools.names.contains(name) else { throw FieldError("there is no such tool in tools", at: "name") }
        }
    }
}
