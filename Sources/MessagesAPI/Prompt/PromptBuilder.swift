import Chat
import JSON

/// Makes of a request the conversation that the chat format writes.
///
/// A conversation that only grew at its end must give tokens that only grew at their end. So nothing that changes from
/// turn to turn may reach the prompt: how a text was wrapped (string or blocks), `cache_control`, the billing header, white
/// space within a call's arguments.
enum PromptBuilder {
    /// - Parameters:
    ///   - memory: knows calls of earlier answers as the model wrote them.
    ///   - keepsThinking: whether earlier thinking stays where the template would drop it.
    static func conversation(
        _ request: MessagesRequest,
        remembering memory: AnswerMemory? = nil,
        keepsThinking: Bool = false
    ) -> ChatConversation {
        var conversation = ChatConversation(turns: turns(request, remembering: memory), tools: request.tools)
        if request.mayThink { conversation.thinking = .on(request.thinking.effort) }
        conversation.keepsThinking = keepsThinking
        return conversation
    }

    static func turns(_ request: MessagesRequest, remembering memory: AnswerMemory? = nil) -> [ChatTurn] {
        var turns = TurnBuilder(memory)
        let system = system(request.system)
        if !system.isEmpty { turns.add(system, as: .system) }
        for message in request.messages { turns.add(message) }
        return turns.turns
    }

    private static let billingHeader = "x-anthropic-billing-header:"

    /// The system text without Claude Code's billing header, which differs between requests.
    private static func system(_ blocks: [String]) -> String {
        guard let first = blocks.first, first.hasPrefix(billingHeader) else { return blocks.joined(separator: "\n") }
        guard blocks.count == 1 else { return blocks.dropFirst().joined(separator: "\n") }
        // The blocks have been joined to one text: only its first line is the header.
        return first.drop { $0 != "\n" && $0 != "\r\n" }.drop { $0.isNewline }.description
    }
}

extension MessagesRequest {
    /// Whether the model is to think before it answers: an answer that begins with a call, or with a text of the client's,
    /// has no place for that.
    var mayThink: Bool { thinking.isOn && !toolChoice.isForced && !isPrefilled }
}

/// Turns of messages: neighbours of one role are one turn, and each result of a tool is a turn of its own.
private struct TurnBuilder {
    private(set) var turns: [ChatTurn] = []
    /// The names of the tools that calls are of, by the calls' ids.
    private var toolNames: [String: String] = [:]
    private let memory: AnswerMemory?

    init(_ memory: AnswerMemory?) { self.memory = memory }

    mutating func add(_ message: Message) {
        let text = message.content.compactMap(BlockText.text).joined(separator: "\n")
        switch message.role {
        case .system: if !message.content.isEmpty { add(text, as: .system) }
        case .assistant:
            add(text, as: .assistant)
            addThinkingAndCalls(of: message)
        case .user:
            let results = message.content.compactMap { block in
                if case .toolResult(let result) = block { result } else { nil }
            }
            // First of all, also before the text of a message before: templates write them right behind the calls.
            for result in results {
                var turn = ChatTurn(role: .tool, text: BlockText.text(of: result))
                turn.answeredCall = ChatTurn.AnsweredCall(id: result.id, name: toolNames[result.id] ?? "")
                turns.insert(turn, at: turns.last?.role == .user ? turns.count - 1 : turns.count)
            }
            if results.count < message.content.count { add(text, as: .user) }
        }
    }

    /// Adds a text to the last turn if that is of the same role.
    mutating func add(_ text: String, as role: ChatRole) {
        guard turns.last?.role == role else { return turns.append(ChatTurn(role: role, text: text)) }
        let needsBreak = !text.isEmpty && turns.last?.text.isEmpty == false
        turns[turns.count - 1].text += needsBreak ? "\n" + text : text
    }

    /// The last turn is the message's.
    private mutating func addThinkingAndCalls(of message: Message) {
        for block in message.content {
            switch block {
            case .thinking(let block) where !block.text.isEmpty:
                let last = turns.count - 1
                // In place: a body has room for half a million blocks.
                if turns[last].thinking == nil {
                    turns[last].thinking = block.text
                } else {
                    turns[last].thinking?.append("\n\n" + block.text)
                }
            case .toolUse(let call):
                toolNames[call.id] = call.name
                turns[turns.count - 1].calls.append(turnCall(call))
            default: break
            }
        }
    }
}

extension TurnBuilder {
    /// A call with its arguments as the model wrote them, if they still say the same.
    private func turnCall(_ call: ToolUseBlock) -> ToolCall {
        var result = ToolCall(id: call.id, name: call.name, arguments: call.input)
        if let sampled = memory?.arguments(of: result) {
            (result.arguments, result.isSampled) = (sampled, true)
        }
        return result
    }
}

/// Blocks as the model reads them.
enum BlockText {
    /// Nil for blocks that are no text of the turn.
    static func text(_ block: ContentBlock) -> String? {
        switch block {
        case .text(let text): text
        case .document(let document): text(of: document)
        case .searchResult(let result): text(of: result)
        case .toolReference(let name): name
        case .thinking, .redactedThinking, .toolUse, .toolResult, .unreadable: nil
        }
    }

    static func text(of result: ToolResultBlock) -> String {
        let text = result.content.compactMap(text).joined(separator: "\n")
        guard result.isError else { return text }
        return text.isEmpty ? "Error" : "Error: " + text
    }

    private static func text(of document: DocumentBlock) -> String {
        var lines = ["<document>"]
        if let title = document.title { lines.append("<title>\(title)</title>") }
        if let context = document.context { lines.append("<context>\(context)</context>") }
        return (lines + document.texts + ["</document>"]).joined(separator: "\n")
    }

    private static func text(of result: SearchResultBlock) -> String {
        let head = ["<search_result>", "<source>\(result.source)</source>", "<title>\(result.title)</title>"]
        return (head + result.texts + ["</search_result>"]).joined(separator: "\n")
    }
}
