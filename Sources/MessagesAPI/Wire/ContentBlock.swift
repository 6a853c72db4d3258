import JSON

/// A content block, checked, with what it holds.
enum ContentBlock: Sendable, Equatable {
    case text(String)
    case thinking(ThinkingBlock)
    /// Thinking that only the API's own servers can read.
    case redactedThinking
    case toolUse(ToolUseBlock)
    case toolResult(ToolResultBlock)
    case document(DocumentBlock)
    case searchResult(SearchResultBlock)
    /// The name of a tool that a search for tools has found.
    case toolReference(String)
    /// Well formed, and nothing that this server can read; the request is refused in the end, for this reason.
    case unreadable(reason: String)

    enum Place: Sendable, Equatable {
        case message(Message.Role)
        case toolResult
        /// The content of a `document`.
        case document
    }

    init(_ block: JSONNode, in place: Place, _ unsupported: inout Unsupported) throws(JSONError) {
        let type = try block["type"].string()
        guard let places = ContentBlock.places[type] else {
            throw block["type"].error("unknown block type '\(type.prefix(60))'", logged: "unknown block type")
        }
        guard places.contains(place) else { throw block["type"].error("a block of type '\(type)' may not be here") }
        try block.checkCacheControl()
        switch type {
        case "text": self = .text(try TextBlock.read(block))
        case "thinking": self = .thinking(try ThinkingBlock(block))
        case "redacted_thinking":
            _ = try block["data"].string()
            self = .redactedThinking
        case "tool_use": self = .toolUse(try ToolUseBlock(block))
        case "tool_result": self = .toolResult(try ToolResultBlock(block, &unsupported))
        case "image":
            try MediaSource.checkImage(block["source"])
            self = .unreadable(reason: "image blocks are not supported by this model, which reads text only")
        case "document": self = try DocumentBlock.read(block, &unsupported)
        case "search_result": self = .searchResult(try SearchResultBlock(block))
        case "tool_reference": self = .toolReference(try block["tool_name"].nonEmptyString())
        default:
            self = .unreadable(reason: "\(type) blocks are not supported: their tools run on the API's own servers")
        }
        if case .unreadable(let reason) = self { unsupported.note(block, reason) }
    }

    /// The blocks of a message, a tool's result or a document: a string is one block of text, and no block if it is empty.
    static func list(
        _ content: JSONNode,
        in place: Place,
        _ unsupported: inout Unsupported
    ) throws(JSONError) -> [ContentBlock] {
        switch content.kind {
        case .string:
            let text = try content.string()
            return text.isEmpty ? [] : [.text(text)]
        case .array:
            var blocks: [ContentBlock] = []
            for node in try content.elements() { blocks.append(try ContentBlock(node, in: place, &unsupported)) }
            return blocks
        default: throw content.error("Input should be a valid string or an array of content blocks")
        }
    }

    private static let inUser: [Place] = [.message(.user)]
    private static let inAssistant: [Place] = [.message(.assistant)]
    private static let inUserAndResults: [Place] = [.message(.user), .toolResult]

    private static let places: [String: [Place]] = [
        "text": [.message(.user), .message(.assistant), .message(.system), .toolResult, .document],
        "image": inUserAndResults + [.document],
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

/// What an assistant thought.
struct ThinkingBlock: Sendable, Equatable {
    /// Empty where nothing is known of it.
    var text: String

    /// A signature of another server is as good as none.
    init(_ block: JSONNode) throws(JSONError) {
        let (shown, signature) = (try block["thinking"].string(), try block["signature"].string())
        text = shown.isEmpty ? ThinkingSignature.text(in: signature) ?? "" : shown
    }
}
