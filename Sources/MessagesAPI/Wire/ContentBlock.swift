import JSON

/// A content block, checked. What it holds is kept only where this server uses it.
enum ContentBlock: Sendable, Equatable {
    case text(String)
    /// `thinking` and `redacted_thinking` of earlier answers: the chat template has no place for them.
    case dropped
    case toolUse(id: String)
    case toolResult(id: String)
    /// `image`, `document`, `search_result`, …: named in the refusal.
    case other(type: String)

    enum Place: Sendable, Equatable {
        case message(Message.Role)
        case toolResult
    }

    /// Why it is refused although it is well formed.
    var unsupportedReason: String? {
        switch self {
        case .text, .dropped: nil
        case .toolUse: "tool_use blocks are not supported yet"
        case .toolResult: "tool_result blocks are not supported yet"
        case .other(let type): "\(type) blocks are not supported by this model"
        }
    }

    init(_ block: JSONNode, in place: Place) throws(JSONError) {
        let type = try block["type"].string()
        guard let places = ContentBlock.places[type] else {
            throw block["type"].error("unknown block type '\(type.prefix(60))'", logged: "unknown block type")
        }
        guard places.contains(place) else { throw block["type"].error("a block of type '\(type)' may not be here") }
        try block.checkCacheControl()
        switch type {
        case "text": self = .text(try TextBlock.read(block))
        case "thinking":
            _ = try block["thinking"].string()
            _ = try block["signature"].string()
            self = .dropped
        case "redacted_thinking":
            _ = try block["data"].string()
            self = .dropped
        case "tool_use":
            self = .toolUse(id: try block["id"].nonEmptyString())
            _ = try block["name"].nonEmptyString()
            try block["input"].checkObject()
        case "tool_result":
            self = .toolResult(id: try block["tool_use_id"].nonEmptyString())
            _ = try block["is_error"].optional?.bool()
            if let content = try block["content"].optional, content.kind != .string {
                try ContentBlock.checkResult(content)
            }
        default:
            try MediaBlock.check(block, type: type)
            self = .other(type: type)
        }
    }

    /// Checks the blocks of a tool's result, or of a document's content.
    static func checkResult(_ content: JSONNode) throws(JSONError) {
        for block in try content.elements() { _ = try ContentBlock(block, in: .toolResult) }
    }

    private static let inUser: [Place] = [.message(.user)]
    private static let inAssistant: [Place] = [.message(.assistant)]
    private static let inUserAndResults: [Place] = [.message(.user), .toolResult]

    private static let places: [String: [Place]] = [
        "text": [.message(.user), .message(.assistant), .message(.system), .toolResult],
        "image": inUserAndResults,
        // The older version of the API took documents from assistants too.
        "document": inUserAndResults + inAssistant,
        "search_result": inUserAndResults,
        "thinking": inAssistant,
        "redacted_thinking": inAssistant,
        "tool_use": inAssistant,
        "tool_result": inUser,
        "tool_reference": [.toolResult],
        "server_tool_use": inAssistant,
        "web_search_tool_result": inAssistant + inUser,
        "web_fetch_tool_result": inAssistant + inUser,
        "code_execution_tool_result": inAssistant + inUser,
        "bash_code_execution_tool_result": inAssistant + inUser,
        "text_editor_code_execution_tool_result": inAssistant + inUser,
        "tool_search_tool_result": inAssistant + inUser,
        "mcp_tool_use": inAssistant,
        "mcp_tool_result": inAssistant + inUser,
        "container_upload": inUser,
    ]
}

/// A `text` block.
enum TextBlock {
    static func read(_ block: JSONNode) throws(JSONError) -> String {
        try block.checkCacheControl()
        _ = try block["citations"].nullable?.elements()
        let text = try block["text"].string()
        guard !text.isEmpty else { throw block["text"].error("text content blocks must be non-empty") }
        return text
    }
}
