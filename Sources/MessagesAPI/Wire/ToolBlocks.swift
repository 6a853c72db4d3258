import JSON

/// A call in an earlier answer.
struct ToolUseBlock: Sendable, Equatable {
    var id: String
    var name: String
    /// The arguments: a JSON object without white space.
    var input: String

    init(id: String, name: String, input: String) {
        (self.id, self.name, self.input) = (id, name, input)
    }

    init(_ block: JSONNode) throws(JSONError) {
        id = try block["id"].nonEmptyString()
        name = try block["name"].nonEmptyString()
        try block["input"].checkObject()
        input = String(decoding: block["input"].compact, as: UTF8.self)
    }
}

/// What came of a call.
struct ToolResultBlock: Sendable, Equatable {
    var id: String
    var content: [ContentBlock]
    var isError: Bool

    init(id: String, content: [ContentBlock] = [], isError: Bool = false) {
        (self.id, self.content, self.isError) = (id, content, isError)
    }

    init(_ block: JSONNode, _ unsupported: inout Unsupported) throws(JSONError) {
        id = try block["tool_use_id"].nonEmptyString()
        isError = try block["is_error"].nullable?.bool() ?? false
        content = []
        if let node = try block["content"].optional {
            content = try ContentBlock.list(node, in: .toolResult, &unsupported)
        }
    }
}
