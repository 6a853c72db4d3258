import Chat

/// Makes of a request's texts the turns that the chat format writes.
///
/// A conversation that only grew at its end must give tokens that only grew at their end. So nothing that changes from
/// turn to turn may reach the prompt: how a text was wrapped (string or blocks), `cache_control`, the billing header.
enum PromptBuilder {
    static func turns(_ request: MessagesRequest) -> [ChatTurn] {
        var turns: [ChatTurn] = []
        let system = system(request.system)
        if !system.isEmpty { turns.append(ChatTurn(role: .system, text: system)) }
        for message in request.messages {
            let role: ChatRole =
                switch message.role {
                case .user: .user
                case .assistant: .assistant
                case .system: .system
                }
            if role == .system, message.texts.isEmpty { continue }
            let text = message.texts.joined(separator: "\n")
            guard turns.last?.role == role else {
                turns.append(ChatTurn(role: role, text: text))
                continue
            }
            let needsBreak = !text.isEmpty && turns.last?.text.isEmpty == false
            turns[turns.count - 1].text += needsBreak ? "\n" + text : text
        }
        return turns
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
