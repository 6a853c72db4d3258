import JSON

/// One message of a conversation.
struct Message: Sendable, Equatable {
    enum Role: String, Sendable, CaseIterable { case user, assistant, system }

    var role: Role
    var content: [ContentBlock]

    private static let maxCount = 100_000

    static func list(_ value: JSONNode, _ unsupported: inout Unsupported) throws(JSONError) -> [Message] {
        let elements = try value.elements(atMost: maxCount)
        let count = value.count
        guard count > 0 else { throw value.error("at least one message is required") }
        var pairing = ToolPairing()
        var result: [Message] = []
        result.reserveCapacity(count)
        for element in elements {
            result.append(try Message(element, isLast: result.count == count - 1, &pairing, &unsupported))
        }
        if pairing.isOpen { try pairing.finish(at: value[count - 1]) }
        return result
    }

    private init(
        _ message: JSONNode,
        isLast: Bool,
        _ pairing: inout ToolPairing,
        _ unsupported: inout Unsupported
    ) throws(JSONError) {
        role = try message["role"].oneOf(Role.self)
        try pairing.begin(role, at: message)
        let node = message["content"]
        content = try ContentBlock.list(node, in: .message(role), &unsupported)
        if node.kind == .array {
            for (block, node) in zip(content, try node.elements()) { try pairing.add(block, at: node) }
        }
        let mayBeEmpty = role == .system || (role == .assistant && isLast)
        guard mayBeEmpty || !content.isEmpty else { throw node.error("content must not be empty") }
    }
}

/// Checks that every `tool_use` is answered in the next user message, and that nothing else is answered. Neighbouring
/// messages of one role are one here, as everywhere.
///
/// Each block costs the same however many calls there are: a body has room for half a million.
struct ToolPairing {
    /// Calls of the assistant's turn, not yet answered.
    private var open: Set<String> = []
    private var used: Set<String> = []
    private var last: (role: Message.Role, node: JSONNode)?

    /// Whether a call has no answer yet.
    var isOpen: Bool { !open.isEmpty }

    mutating func begin(_ role: Message.Role, at message: JSONNode) throws(JSONError) {
        defer { last = (role, message) }
        guard let last, last.role != role else { return }
        if last.role == .user { try finish(at: last.node) }
        if role != .user { try finish(at: message) }
    }

    /// - Parameter node: the block, for errors.
    mutating func add(_ block: ContentBlock, at node: JSONNode) throws(JSONError) {
        switch block {
        case .toolUse(let call):
            guard used.insert(call.id).inserted else { throw node["id"].error("tool_use ids must be unique") }
            open.insert(call.id)
        case .toolResult(let result):
            guard open.remove(result.id) != nil else {
                throw node["tool_use_id"].error("there is no tool_use with this id in the message before")
            }
        default: break
        }
    }

    /// Throws if a call has no answer and can get none any more.
    func finish(at message: JSONNode) throws(JSONError) {
        guard let id = open.min() else { return }
        let what = "tool_use without a tool_result in the next user message"
        throw message.error("\(what): \(id.prefix(80))", logged: what)
    }
}
