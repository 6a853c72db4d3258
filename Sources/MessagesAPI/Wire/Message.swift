/// One message of a conversation, as far as this server renders it: the texts in order.
struct Message: Sendable, Equatable {
    enum Role: String, Sendable { case user, assistant, system }

    var role: Role
    var texts: [String]

    private static let maxCount = 100_000

    static func list(_ value: JSON, _ unsupported: inout Unsupported) throws(FieldError) -> [Message] {
        let elements = try value.array()
        guard !elements.isEmpty else { throw FieldError("at least one message is required") }
        guard elements.count <= maxCount else { throw FieldError("List should have at most \(maxCount) items") }
        var pairing = ToolPairing()
        var result: [Message] = []
        result.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            let isLast = index == elements.count - 1
            let message = try unsupported.at(String(index)) { (unsupported) throws(FieldError) in
                try Message(element, isLast: isLast, &pairing, &unsupported)
            }
            result.append(message)
        }
        try at(String(elements.count - 1)) { () throws(FieldError) in try pairing.finish() }
        return result
    }

    private init(
        _ value: JSON,
        isLast: Bool,
        _ pairing: inout ToolPairing,
        _ unsupported: inout Unsupported
    ) throws(FieldError) {
        try value.checkObject()
        let role = try value.required("role") { (value) throws(FieldError) in
            Role(rawValue: try value.word(of: ["user", "assistant", "system"])) ?? .user
        }
        self.role = role
        try pairing.begin(role)
        guard let content = value["content"] else { throw FieldError("Field required", at: "content") }
        let mayBeEmpty = role == .system || (role == .assistant && isLast)
        texts = try unsupported.at("content") { (unsupported) throws(FieldError) in
            switch content {
            case .string(let text):
                guard mayBeEmpty || !text.isEmpty else { throw FieldError("content must not be empty") }
                return text.isEmpty ? [] : [text]
            case .array(let blocks):
                guard mayBeEmpty || !blocks.isEmpty else { throw FieldError("content must not be empty") }
                var texts: [String] = []
                for (index, block) in blocks.enumerated() {
                    try unsupported.at(String(index)) { (unsupported) throws(FieldError) in
                        let block = try ContentBlock(block, in: .message(role))
                        try pairing.add(block)
                        if case .text(let text) = block { texts.append(text) }
                        if let reason = block.unsupportedReason { unsupported.note(FieldError(reason)) }
                    }
                }
                return texts
            default: throw FieldError("Input should be a valid string or an array of content blocks")
            }
        }
        try pairing.end(role)
    }
}

/// Checks that every `tool_use` is answered in the next user message, and that nothing else is answered.
///
/// Each block costs the same however many calls there are: a body has room for half a million.
struct ToolPairing {
    /// Calls of the assistant's turn, not yet answered.
    private var open: Set<String> = []
    private var used: Set<String> = []

    mutating func begin(_ role: Message.Role) throws(FieldError) {
        guard role == .user else { return try finish() }
    }

    mutating func add(_ block: ContentBlock) throws(FieldError) {
        switch block {
        case .toolUse(let id):
            guard used.insert(id).inserted else { throw FieldError("tool_use ids must be unique", at: "id") }
            open.insert(id)
        case .toolResult(let id):
            guard open.remove(id) != nil else {
                throw FieldError("there is no tool_use with this id in the message before", at: "tool_use_id")
            }
        default: break
        }
    }

    func end(_ role: Message.Role) throws(FieldError) {
        if role == .user { try finish() }
    }

    /// Throws if a call has no answer and can get none any more.
    func finish() throws(FieldError) {
        guard let id = open.min() else { return }
        let what = "tool_use without a tool_result in the next user message"
        throw FieldError("\(what): \(id.prefix(80))", logged: what)
    }
}
