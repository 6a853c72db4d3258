import JSON

/// The `tools` and `tool_choice` fields: checked, and refused until there are tools.
struct ToolSettings: Sendable {
    var names: Set<String> = []

    static func check(_ tools: JSONNode?, _ unsupported: inout Unsupported) throws(JSONError) -> ToolSettings {
        var settings = ToolSettings()
        guard let tools else { return settings }
        for tool in try tools.elements() { try settings.add(tool, &unsupported) }
        if !settings.names.isEmpty { unsupported.note(tools, "tools are not supported yet") }
        return settings
    }

    private mutating func add(_ tool: JSONNode, _ unsupported: inout Unsupported) throws(JSONError) {
        let type = try tool["type"].nullable?.string() ?? "custom"
        let name = try tool["name"].string()
        guard ToolSettings.isValidName(name) else {
            throw tool["name"].error("String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
        }
        guard names.insert(name).inserted else { throw tool["name"].error("Tool names must be unique") }
        try tool.checkCacheControl()
        _ = try tool["description"].optional?.string()
        if type == "custom" {
            try tool["input_schema"].checkObject()
        } else {
            unsupported.note(tool["type"], "server tools are not supported")
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

extension JSONNode {
    func checkToolChoice(_ tools: ToolSettings) throws(JSONError) {
        let type = try self["type"].string(oneOf: ["auto", "any", "tool", "none"])
        _ = try self["disable_parallel_tool_use"].optional?.bool()
        guard type == "any" || type == "tool" else { return }
        guard !tools.names.isEmpty else { throw self["type"].error("'\(type)' needs at least one tool in tools") }
        guard type == "tool" else { return }
        guard tools.names.contains(try self["name"].string()) else {
            throw self["name"].error("there is no such tool in tools")
        }
    }
}
