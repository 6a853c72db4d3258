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

    /// With more text at the end.
    func appending(_ more: String, separator: String) -> ChatTurn {
        var turn = self
        turn.text += text.isEmpty || more.isEmpty ? more : separator + more
        return turn
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
        turns[user].text = first.appending(turns[user].text, separator: separator).text
        return turns
    }

    /// The turns with the text of later system turns at the end of the preceding user's or tool's turn, or, after an
    /// assistant's turn, in front of the following user's. It never moves further to the front: a conversation that only
    /// grows must give a prompt that only grows at its end, or a cached prefix would be lost.
    static func inlineMerged(_ turns: [ChatTurn]) -> [ChatTurn] {
        var result: [ChatTurn] = []
        for (index, turn) in turns.enumerated() {
            guard let last = result.last else {
                result.append(turn)
                continue
            }
            let isInline = turn.role == .system && index > 0
            switch (last.role, turn.role) {
            case (.user, .system), (.tool, .system):
                result[result.count - 1] = last.appending(turn.text, separator: separator)
            case (.user, .user):
                // Two that became neighbours because the turn between them was merged.
                result[result.count - 1] = last.appending(turn.text, separator: separator)
            default: result.append(isInline ? ChatTurn(role: .user, text: turn.text) : turn)
            }
        }
        return result
    }
}
