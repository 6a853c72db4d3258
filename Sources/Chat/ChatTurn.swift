package enum ChatRole: String, Sendable { case system, user, assistant, tool }

/// One turn of a conversation.
package struct ChatTurn: Sendable, Equatable {
    package var role: ChatRole
    package var text: String
    /// What an assistant thought before its text.
    package var thinking: String?
    /// The calls after an assistant's text.
    package var calls: [ToolCall] = []
    /// The call that a tool's turn answers: the turn's text is its result.
    package var answeredCall: AnsweredCall?

    package struct AnsweredCall: Sendable, Equatable {
        package var id: String
        package var name: String

        package init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    package init(role: ChatRole, text: String) {
        self.role = role
        self.text = text
    }

    /// Puts more text at its end, in place: a conversation may have very many turns.
    mutating func append(_ more: String, separator: String) {
        if !text.isEmpty, !more.isEmpty { text += separator }
        text += more
    }
}

/// Moves the text of system turns that a template does not write into the turns beside them.
enum SystemTurns {
    private static let separator = "\n\n"

    static func hasInline(_ turns: [ChatTurn]) -> Bool { turns.dropFirst().contains { $0.role == .system } }

    /// The turns with a first system turn's text in front of the first user's text.
    static func firstMerged(_ turns: [ChatTurn]) -> [ChatTurn] {
        guard let first = turns.first, first.role == .system else { return turns }
        var turns = Array(turns.dropFirst())
        guard let user = turns.firstIndex(where: { $0.role == .user }) else {
            return [ChatTurn(role: .user, text: first.text)] + turns
        }
        var text = first
        text.append(turns[user].text, separator: separator)
        turns[user].text = text.text
        return turns
    }

    /// The turns with the text of later system turns at the end of the preceding user's or tool's turn, or, after an
    /// assistant's turn, in front of the following user's. It never moves further to the front: a conversation that only
    /// grows must give a prompt that only grows at its end, or a cached prefix would be lost.
    static func inlineMerged(_ turns: [ChatTurn]) -> [ChatTurn] {
        var result: [ChatTurn] = []
        for (index, turn) in turns.enumerated() {
            guard let lastRole = result.last?.role else {
                result.append(turn)
                continue
            }
            let isInline = turn.role == .system && index > 0
            switch (lastRole, turn.role) {
            // Users' turns became neighbours because the turn between them was merged.
            case (.user, .system), (.tool, .system), (.user, .user):
                result[result.count - 1].append(turn.text, separator: separator)
            default: result.append(isInline ? ChatTurn(role: .user, text: turn.text) : turn)
            }
        }
        return result
    }
}
