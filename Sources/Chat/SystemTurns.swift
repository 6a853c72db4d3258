/// Where the text of system turns goes that a template does not write.
enum SystemTurns {
    private static let separator = "\n\n"

    static func hasInline(_ turns: [ChatTurn]) -> Bool { turns.dropFirst().contains { $0.role == .system } }

    /// With the first turn's text, if it is the system's, before the first user's.
    static func withoutFirst(_ turns: [ChatTurn]) -> [ChatTurn] {
        guard let first = turns.first, first.role == .system else { return turns }
        var turns = Array(turns.dropFirst())
        guard let user = turns.firstIndex(where: { $0.role == .user }) else {
            return [ChatTurn(role: .user, text: first.text)] + turns
        }
        turns[user].text = first.appending(turns[user].text, separator: separator).text
        return turns
    }

    /// With the text of later system turns at the end of the user's or tool's turn before, or, where an assistant's is
    /// before, in front of the user's turn after. Never further to the front: that would change what was said before,
    /// and a conversation that only grows must only grow at its end.
    static func withoutInline(_ turns: [ChatTurn]) -> [ChatTurn] {
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
                // Two that came together because nothing is between them any more.
                result[result.count - 1] = last.appending(turn.text, separator: separator)
                result[result.count - 1].details += turn.details
            default: result.append(isInline ? ChatTurn(role: .user, text: turn.text) : turn)
            }
        }
        return result
    }
}
