import Chat

/// What was said so far, and what stands before it.
struct Conversation: Sendable, Equatable {
    struct Turn: Sendable, Equatable {
        var question: String
        var answer: String
    }

    var system: String?
    private(set) var turns: [Turn] = []

    init(system: String? = nil) { self.system = system }

    mutating func add(_ question: String, _ answer: String) {
        turns.append(Turn(question: question, answer: answer))
    }

    mutating func reset() { turns = [] }

    /// The turns with a new question behind them, as a chat format takes them.
    func chatTurns(asking question: String) -> [ChatTurn] {
        (system.map { [ChatTurn(role: .system, text: $0)] } ?? []) + messages(asking: question)
    }

    /// The same without the system prompt, which the API takes apart.
    func messages(asking question: String) -> [ChatTurn] {
        turns.flatMap { [ChatTurn(role: .user, text: $0.question), ChatTurn(role: .assistant, text: $0.answer)] }
            + [ChatTurn(role: .user, text: question)]
    }
}
