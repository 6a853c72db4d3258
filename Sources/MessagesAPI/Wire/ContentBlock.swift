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

    init(_ block: JSON, in place: Place) throws(FieldError) {
        try block.checkObject()
        let type = try block.required("type") { (value) throws(FieldError) in try value.string() }
        guard let places = ContentBlock.places[type] else {
            throw FieldError(
                "unknown block type '\(type.prefix(60))'",
                at: "type",
                logged: "unknown block type"
            )
        }
        guard places.contains(place) else {
            throw FieldError("a block of type '\(type)' may not be here", at: "type")
        }
        try block.checkCacheControl()
        switch type {
        case "text": self = .text(try TextBlock.read(block))
        case "thinking":
            _ = try block.required("thinking") { (value) throws(FieldError) in try value.string() }
            _ = try block.required("signature") { (value) throws(FieldError) in try value.string() }
            self = .dropped
        case "redacted_thinking":
            _ = try block.required("data") { (value) throws(FieldError) in try value.string() }
            self = .dropped
        case "tool_use":
            let id = try block.required("id") { (value) throws(FieldError) in try value.nonEmptyString() }
            _ = try block.required("name") { (value) throws(FieldError) in try value.nonEmptyString() }
            try block.required("input") { (value) throws(FieldError) in try value.checkObject() }
            self = .toolUse(id: id)
        case "tool_result":
            self = .toolResult(id: try ContentBlock.toolResult(block))
        default:
            try MediaBlock.check(block, type: type)
            self = .other(type: type)
        }
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

    private static func toolResult(_ block: JSON) throws(FieldError) -> String {
        let id = try block.required("tool_use_id") { (value) throws(FieldError) in try value.nonEmptyString() }
        _ = try block.optional("is_error") { (value) throws(FieldError) in try value.bool() }
        _ = try block.optional("content") { (content) throws(FieldError) in
            if case .string = content { return }
            _ = try content.array().each { (inner) throws(FieldError) in try ContentBlock(inner, in: .toolResult) }
        }
        return id
    }
}

/// A `text` block.
enum TextBlock {
    static func read(_ block: JSON) throws(FieldError) -> String {
        try block.checkCacheControl()
        _ = try block.nullable("citations") { (value) throws(FieldError) in try value.array() }
        return try block.required("text") { (value) throws(FieldError) in
            let text = try value.string()
            guard !text.isEmpty else { throw FieldError("text content blocks must be non-empty") }
            return text
        }
    }
}
