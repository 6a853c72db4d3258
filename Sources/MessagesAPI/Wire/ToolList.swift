import Chat
import JSON

/// The `tools` field.
enum ToolList {
    /// Tools beyond these would leave no context for anything else; each costs memory in the prompt and in the grammar.
    private static let maxCount = 2000
    private static let maxBytes = 2 << 20

    static func read(_ list: JSONNode, _ unsupported: inout Unsupported) throws(JSONError) -> [ToolDefinition] {
        var names: Set<String> = []
        var tools: [ToolDefinition] = []
        for tool in try list.elements(atMost: maxCount) {
            let name = try tool["name"].string()
            guard isValidName(name) else {
                throw tool["name"].error("String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
            }
            guard names.insert(name).inserted else { throw tool["name"].error("Tool names must be unique") }
            if let tool = try definition(tool, name, &unsupported) { tools.append(tool) }
        }
        guard list.source.count <= maxBytes else {
            throw list.error("the definitions of tools should have at most \(maxBytes) bytes in all")
        }
        return tools
    }

    /// - Returns: nil for a tool that only the API's own servers have.
    private static func definition(
        _ tool: JSONNode,
        _ name: String,
        _ unsupported: inout Unsupported
    ) throws(JSONError) -> ToolDefinition? {
        let type = try tool["type"].nullable?.string() ?? "custom"
        try tool.checkCacheControl()
        let description = try tool["description"].nullable?.string()
        let isStrict = try tool["strict"].nullable?.bool() ?? false
        _ = try tool["defer_loading"].nullable?.bool()
        _ = try tool["eager_input_streaming"].nullable?.bool()
        if let examples = try tool["input_examples"].nullable {
            for example in try examples.elements() { try example.checkObject() }
        }
        _ = try tool["allowed_callers"].nullable?.strings()
        guard type == "custom" else {
            let reason = "only tools with an input_schema of their own can be called here"
            unsupported.note(tool["type"], "'\(type.prefix(60))' is not supported: \(reason)", logged: reason)
            return nil
        }
        let schema = tool["input_schema"]
        try schema.checkObject()
        return ToolDefinition(name: name, description: description, inputSchema: schema, isStrict: isStrict)
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

extension ToolChoice {
    /// - Parameter hasTools: whether `tools` has one, of whatever kind.
    init(_ choice: JSONNode, _ tools: [ToolDefinition], hasTools: Bool) throws(JSONError) {
        let type = try choice["type"].string(oneOf: ["auto", "any", "tool", "none"])
        allowsParallel = try choice["disable_parallel_tool_use"].nullable?.bool() != true
        switch type {
        case "auto": kind = .auto
        case "none": kind = .none
        default:
            guard hasTools else { throw choice["type"].error("'\(type)' needs at least one tool in tools") }
            kind = .any
            guard type == "tool" else { return }
            let name = try choice["name"].string()
            guard tools.contains(where: { $0.name == name }) else {
                throw choice["name"].error("there is no such tool in tools")
            }
            kind = .tool(name)
        }
    }
}
